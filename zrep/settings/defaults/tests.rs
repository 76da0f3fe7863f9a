use super::*;

fn environment(name: &str) -> Option<String> {
    let known = [("ZREP_SAVE_COUNT", "9"), ("EMPTY", ""), ("FOO", "from the environment")];
    let found = known.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| (*value).to_owned())
}

fn parsed(text: &str) -> Result<Defaults, BadSetting> {
    Defaults::parse(text, Path::new("/etc/default/zrep"), environment)
}

fn value(text: &str) -> Option<String> {
    parsed(text).unwrap().get("V", environment)
}

#[test]
fn a_value_is_what_a_shell_makes_of_it() {
    for (text, expected) in [
        ("V=x", "x"),
        ("export V=x", "x"),
        ("  V=x # y", "x"),
        ("V=x#y", "x#y"),
        ("V=", ""),
        ("V='a b'", "a b"),
        ("V='a\\'", "a\\"),
        ("V=\"a b\"", "a b"),
        ("V=\"a'b\"'c\"d'e", "a'bc\"de"),
        ("V=a\\ b", "a b"),
        ("V=\"\\\"\\$\\x\"", "\"$\\x"),
        ("V=a\\\nb", "ab"),
        ("V='a\nb'", "a\nb"),
        ("W=1; V=$W", "1"),
        ("W=1; V=\"$W more\"", "1 more"),
        ("V=$FOO", "from the environment"),
        ("V=${FOO}s", "from the environments"),
        ("V=x$NOTHING", "x"),
        ("V=x; V=\"$V y\"", "x y"),
        ("V=x V=y", "y"),
        ("V=x; V+=' y'", "x y"),
        ("V+=y", "y"),
        ("V=5$", "5$"),
        ("V=a*{b,c}", "a*{b,c}"),
        ("V=x\nunset W V\nV=${V-z}", "z"),
        ("V=x\r\nW=1\r\n", "x"),
        ("V=a\u{a0}b", "a\u{a0}b"),
        ("V='~':a~", "~:a~"),
        ("W=1; export W=2 V=$W", "1"),
        ("V=1; export V=2 V+=3", "23"),
        ("A=1 AB=2; V=$A\\\nB", "2"),
    ] {
        assert_eq!(value(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_default_is_for_what_is_not_set() {
    for (text, expected) in [
        ("V=${V:-d}", "d"),
        ("V=${FOO:-d}", "from the environment"),
        ("V=${EMPTY:-d}", "d"),
        ("V=${EMPTY-d}", ""),
        ("V=${NOTHING-d}", "d"),
        ("V=${NOTHING:-$FOO}", "from the environment"),
        ("V=${NOTHING:-${EMPTY:-a b}}", "a b"),
        ("V=\"${NOTHING:-it's}\"", "it's"),
        ("V=${NOTHING:-'a}b'}", "a}b"),
        ("V=${FOO:+set}", "set"),
        ("V=${EMPTY:+set}", ""),
        (": ${V:=d}", "d"),
        (": \"${V=d}\"; V=$V$V", "dd"),
    ] {
        assert_eq!(value(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_plain_value_beats_the_environment_and_a_default_does_not() {
    for (text, expected) in [
        ("", "9"),
        ("ZREP_SAVE_COUNT=3", "3"),
        ("ZREP_SAVE_COUNT=${ZREP_SAVE_COUNT:-3}", "9"),
        ("unset ZREP_SAVE_COUNT", "-"),
    ] {
        let found = parsed(text).unwrap().get("ZREP_SAVE_COUNT", environment);
        assert_eq!(found.unwrap_or("-".into()), expected, "{text}");
    }
}

#[test]
fn a_line_that_is_not_understood_is_left_out_and_told() {
    let text = "umask 022\nV=1\nif [ -f /x ]; then\n  . /x\nfi\nHOST=$(hostname)\nPATH=/opt/bin:$PATH\n";
    let defaults = parsed(text).unwrap();
    assert_eq!(defaults.get("V", environment).as_deref(), Some("1"));
    assert_eq!(
        defaults.notes,
        [
            "/etc/default/zrep:1: not understood, and left out: umask 022",
            "/etc/default/zrep:3: not understood, and left out: if [ -f /x ]; then …",
            "/etc/default/zrep:6: not understood, and left out: HOST=$(hostname)",
            "/etc/default/zrep:7: PATH has no effect here; set it where zrep is called",
        ]
    );
}

#[test]
fn what_is_not_understood_of_a_variable_of_zrep_is_an_error() {
    for text in [
        "ZREP_SRC_HOST=$(hostname)",
        "ZREP_SRC_HOST=`hostname`",
        "ZREP_SRC_HOST=${HOSTNAME%%.*}",
        "ZREP_SRC_HOST=$1",
        "ZREP_SRC_HOST=~/x",
        "ZREP_SRC_HOST=a:~",
        "ZREP_SRC_HOST=$'a\\'b'",
        "ZREP_SRC_HOST=$\"a b\"",
        "ZREP_SRC_HOST=${X:-~}",
        "export ZREP_SRC_HOST={a,b}",
        "ZREP_SRC_HOST=(a b)",
        "ZREP_SRC_HOST=a b",
        "HOST=$(hostname); ZREP_SRC_HOST=$HOST",
        "if x; then HOST=a; fi; ZREP_SRC_HOST=${HOST:-b}",
        "if [ -f /x ]; then\nZREP_SRC_HOST=a\nfi",
        "[ -f /x ] && ZREP_SRC_HOST=a",
        "read ZREP_SRC_HOST </x",
        ": ${ZREP_SRC_HOST:=$(hostname)}",
        "ZREP_SRC_HOST='a",
        "cat <<E\nZREP_SRC_HOST=a\nE",
    ] {
        let error = parsed(&format!("V=1\n{text}")).unwrap_err();
        assert!(error.what.starts_with("/etc/default/zrep:2: "), "{error:?}");
        assert!(error.what.contains("ZREP_SRC_HOST"), "{error:?}");
    }
    assert!(parsed("[ -n \"$ZREP_SRC_HOST\" ] && echo x").is_ok());
    assert!(parsed("DEBUG=$(true)").is_ok(), "it has no effect, whatever it is");
}

#[test]
fn a_file_that_others_may_write_to_is_not_for_root() {
    for (owner, mode, refused) in [
        (0, 0o100_644, false),
        (0, 0o100_600, false),
        (0, 0o100_664, true),
        (0, 0o100_646, true),
        (1000, 0o100_644, true),
    ] {
        assert_eq!(is_of_others(owner, mode), refused, "{owner} {mode:o}");
    }
}

#[test]
fn a_file_is_read_where_there_is_one() {
    let path = std::env::temp_dir().join(format!("zrep-defaults-{}", std::process::id()));
    let read = |is_root| Defaults::read(&path, is_root, |_| None);
    assert_eq!(read(true), Ok(Defaults::default()));
    fs::write(&path, "V='x'\n").unwrap();
    assert_eq!(read(false).unwrap().get("V", |_| None).as_deref(), Some("x"));
    fs::write(&path, b"V=\xff\n").unwrap();
    assert!(read(false).unwrap_err().what.contains("UTF-8"));
    fs::remove_file(&path).unwrap();
}
