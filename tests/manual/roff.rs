//! A small writer of man pages: text with a little markup becomes roff with the man(7) macros, which groff and mandoc understand.
//!
//! ```text
//! # SECTION            a section
//! ## Title             a part of one
//! A paragraph of       paragraphs are divided by empty lines;
//! several lines.       `code` is bold, *WORD* stands for something that is to be filled in
//! `-n`                 a term of one line, and what is to be said about it, indented by four blanks;
//!     Show the plan.   an empty line and further indented lines go on with it
//! | zrep sync all      an example, as it stands
//! ```

use std::fmt::Write;

/// How wide the lines of the written page are: readers of its diff are meant, troff fills them anew.
const WIDTH: usize = 79;

/// Turns marked-up text into roff.
pub(crate) fn from_text(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let goes_on = !line.is_empty() && lines.peek().is_some_and(|next| next.starts_with("    "));
        if let Some(title) = line.strip_prefix("## ") {
            subsection(&mut out, title);
        } else if let Some(title) = line.strip_prefix("# ") {
            section(&mut out, title);
        } else if line.starts_with("| ") {
            let first = [line].into_iter();
            let rest = std::iter::from_fn(|| lines.next_if(|next| next.starts_with('|')));
            example(&mut out, first.chain(rest));
        } else if line.starts_with("    ") {
            out.push_str(".IP\n");
            filled(
                &mut out,
                &joined(line, || lines.next_if(|next| next.starts_with("    "))),
            );
        } else if goes_on {
            let _ = writeln!(out, ".TP\n{}", inline(line));
            let first = lines.next().unwrap_or_default();
            filled(
                &mut out,
                &joined(first, || lines.next_if(|next| next.starts_with("    "))),
            );
        } else if !line.is_empty() {
            paragraph(&mut out, &joined(line, || lines.next_if(|next| is_plain(next))));
        }
    }
    out
}

/// Whether a line goes on with the paragraph before it.
fn is_plain(line: &str) -> bool {
    !line.is_empty() && !line.starts_with(['#', '|', ' '])
}

fn joined<'a>(first: &'a str, next: impl FnMut() -> Option<&'a str>) -> String {
    let rest = std::iter::from_fn(next);
    let lines = std::iter::once(first).chain(rest).map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}

/// The first lines of a page. Names are to be copied: nothing is hyphenated, nor spread to the right margin.
pub(crate) fn title(out: &mut String, name: &str, section: u8, source: &str, manual: &str) {
    let _ = writeln!(
        out,
        ".TH {} {section} \"\" \"{}\" \"{}\"\n.nh\n.ad l",
        escape(&name.to_uppercase()),
        escape(source),
        escape(manual)
    );
}

/// A section.
pub(crate) fn section(out: &mut String, title: &str) {
    let _ = writeln!(out, ".SH {}", quoted(title));
}

/// A part of a section.
pub(crate) fn subsection(out: &mut String, title: &str) {
    let _ = writeln!(out, ".SS {}", quoted(title));
}

/// A paragraph of one line of marked-up text.
pub(crate) fn paragraph(out: &mut String, text: &str) {
    divide(out);
    filled(out, text);
}

/// Begins a paragraph. Behind a title there is one already.
fn divide(out: &mut String) {
    let is_behind_title = out.lines().last().is_some_and(|line| line.starts_with(".S"));
    if !is_behind_title {
        out.push_str(".PP\n");
    }
}

/// Lines of marked-up text that are not filled: a synopsis.
pub(crate) fn unfilled<'a>(out: &mut String, lines: impl Iterator<Item = &'a str>) {
    divide(out);
    out.push_str(".nf\n");
    lines.for_each(|line| {
        let _ = writeln!(out, "{}", inline(line));
    });
    out.push_str(".fi\n");
}

/// A term of marked-up text, and what is to be said about it.
pub(crate) fn term(out: &mut String, term: &str, text: &str) {
    let _ = writeln!(out, ".TP\n{}", inline(term));
    filled(out, text);
}

/// Lines that are shown as they stand.
fn example<'a>(out: &mut String, lines: impl Iterator<Item = &'a str>) {
    divide(out);
    out.push_str(".RS 4\n.nf\n");
    for line in lines {
        let text = line.trim_start_matches('|');
        let _ = writeln!(out, "{}", guarded(&code(text.strip_prefix(' ').unwrap_or(text))));
    }
    out.push_str(".fi\n.RE\n");
}

/// Writes a paragraph in lines of a readable width; a sentence begins on a line of its own, so that troff sees where it ends.
fn filled(out: &mut String, text: &str) {
    let mut line = String::new();
    for word in inline(text).split(' ').filter(|word| !word.is_empty()) {
        let ends_sentence = line.ends_with(['.', '?', '!']);
        if !line.is_empty() && (ends_sentence || line.len() + 1 + word.len() > WIDTH) {
            let _ = writeln!(out, "{}", guarded(&line));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(out, "{}", guarded(&line));
    }
}

/// A line that begins with a dot or a quote would be a request.
fn guarded(line: &str) -> String {
    match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line.to_owned(),
    }
}

/// The fonts of marked-up text.
pub(crate) fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, marked) = rest.split_at(at);
        let (mark, behind) = marked.split_at(1);
        out.push_str(&escape(before));
        let Some((inner, after)) = behind.split_once(mark) else {
            out.push_str(&escape(mark));
            rest = behind;
            continue;
        };
        let font = if mark == "`" { 'B' } else { 'I' };
        let _ = write!(out, "\\f{font}{}\\fR", code(inner));
        rest = after;
    }
    out.push_str(&escape(rest));
    guarded(&out)
}

/// Text that can be copied: its hyphens are those of the keyboard.
fn code(text: &str) -> String {
    escape(text).replace('-', "\\-")
}

/// Characters that troff would take for its own, or show as others.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            '…' => out.push_str("..."),
            '–' => out.push_str("\\(en"),
            c => {
                assert!(
                    c.is_ascii() && !c.is_control(),
                    "{c:?} is not portable in a man page: {text}"
                );
                out.push(c);
            }
        }
    }
    // A dash between words, by which whatis(1) finds the name's end.
    out.replace(" - ", " \\- ")
}

/// A title as one argument of a macro.
fn quoted(title: &str) -> String {
    format!("\"{}\"", inline(title).replace('"', "\\(dq"))
}

#[test]
fn text_becomes_roff() {
    for (text, expected) in [
        ("# A\n## b c", ".SH \"A\"\n.SS \"b c\"\n"),
        ("one\ntwo. Three", ".PP\none two.\nThree\n"),
        (
            "`-n`, `--dry-run`\n    Show.\n\n    More.",
            ".TP\n\\fB\\-n\\fR, \\fB\\-\\-dry\\-run\\fR\nShow.\n.IP\nMore.\n",
        ),
        (
            "| zrep -x\n|\n| .y 'z'",
            ".PP\n.RS 4\n.nf\nzrep \\-x\n\n\\&.y \\(aqz\\(aq\n.fi\n.RE\n",
        ),
        (".dot *A-B* re-do", ".PP\n\\&.dot \\fIA\\-B\\fR re-do\n"),
        ("a\\b a*b", ".PP\na\\eb a*b\n"),
        ("# NAME\n\nx - y", ".SH \"NAME\"\nx \\- y\n"),
    ] {
        assert_eq!(from_text(text), expected, "{text}");
    }
}

#[test]
fn a_wrapped_line_never_begins_with_a_request() {
    let text = format!("{} .so x", "a".repeat(WIDTH - 1));
    assert!(from_text(&text).ends_with("\n\\&.so x\n"));
}
