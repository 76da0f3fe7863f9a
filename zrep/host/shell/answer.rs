//! The answers to one request, put together line by line.

/// More than this is no answer. A hundred thousand snapshots are a tenth of it.
const LONGEST_ANSWER: usize = 128 << 20;

/// What a command has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its exit status.
    pub(super) status: i32,
    /// Its output, as it is.
    pub(super) out: String,
    /// What it said on stderr, without the last line break.
    pub(super) err: String,
}

/// What was heard of the answers to one request.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    pub(super) answers: Vec<Answer>,
    place: Place,
    text: Vec<u8>,
    len: usize,
    /// There is no more to come.
    pub(super) is_over: bool,
}

/// What the next text belongs to.
#[derive(Debug, Default, Clone, Copy)]
enum Place {
    #[default]
    Outside,
    Output,
    Complaint,
}

impl Hearing {
    /// Takes a line of text.
    pub(super) fn text(&mut self, line: &[u8]) -> Result<(), String> {
        self.len += line.len();
        if self.len > LONGEST_ANSWER {
            return Err(format!("an answer of more than {LONGEST_ANSWER} bytes"));
        }
        match self.place {
            Place::Outside => {}
            Place::Output | Place::Complaint => self.text.extend_from_slice(line),
        }
        Ok(())
    }

    /// Takes what stands behind a mark.
    pub(super) fn mark(&mut self, mark: &str) {
        let text = String::from_utf8_lossy(&std::mem::take(&mut self.text)).into_owned();
        // The line break before the mark is the mark's.
        let text = text.strip_suffix('\n').unwrap_or(&text);
        match (self.place, self.answers.last_mut()) {
            (Place::Complaint, Some(answer)) => answer.err = text.trim_end().to_owned(),
            (Place::Outside | Place::Output | Place::Complaint, _) => {}
        }
        self.place = match mark.split_once(' ') {
            Some(("end", status)) => {
                self.answers.push(Answer {
                    status: status.parse().unwrap_or(1),
                    out: text.to_owned(),
                    err: String::new(),
                });
                Place::Complaint
            }
            None if mark == "begin" => Place::Output,
            Some(_) | None => Place::Outside,
        };
        self.is_over = mark == "over";
    }
}
