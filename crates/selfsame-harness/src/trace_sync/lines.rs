//! A trace, line by line.
//!
//! ```text
//! 712  recvfrom(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "POST /v1/track"..., 8192, 0, NULL, NULL) = 700
//! 714  fdatasync(7</tmp/data/log/0.log> <unfinished ...>
//! 714  <... fdatasync resumed>)          = 0
//! 712  sendto(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "HTTP/1.1 200 OK"..., 120, MSG_NOSIGNAL, NULL, 0) = 120
//! ```

use std::collections::HashMap;

/// What a trace says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Answers `200` to a POST.
    pub(super) answers: u64,
    /// Syncs that succeeded.
    pub(super) syncs: u64,
    /// Those answers that left too early.
    pub(super) early: Vec<String>,
}

/// The request a connection carries at the moment.
#[derive(Debug, Default, Clone, Copy)]
struct Asked {
    is_post: bool,
    /// The line at which its last bytes had come.
    at: usize,
}

#[derive(Debug, Default)]
struct Reader<'a> {
    verdict: Verdict,
    /// What each thread is in the middle of: where it began, and the text up to there.
    open: HashMap<&'a str, (usize, &'a str)>,
    asked: HashMap<&'a str, Asked>,
    /// Where the latest-begun of all returned syncs began.
    synced_from: Option<usize>,
}

pub(super) fn judge(trace: &str) -> Verdict {
    let mut reader = Reader::default();
    for (at, line) in trace.lines().enumerate() {
        reader.line(at, line);
    }
    reader.verdict
}

impl<'a> Reader<'a> {
    fn line(&mut self, at: usize, line: &'a str) {
        let Some((thread, text)) = line.split_once(' ') else { return };
        let text = text.trim_start();
        if let Some(begun) = text.strip_suffix("<unfinished ...>") {
            self.begin(at, begun);
            self.open.insert(thread, (at, begun));
        } else if text.starts_with("<... ") {
            let Some((began, begun)) = self.open.remove(thread) else { return };
            // What a read brought is known at its end only.
            self.end(began, at, begun, text);
        } else {
            self.begin(at, text);
            self.end(at, at, text, text);
        }
    }

    /// A call was entered: an answer may be on its way from here on.
    fn begin(&mut self, at: usize, text: &'a str) {
        let is_answer =
            ["sendto(", "write(", "writev(", "sendmsg("].iter().any(|c| text.starts_with(c))
                && text.contains("\"HTTP/1.1 200");
        let Some(connection) = connection(text).filter(|_| is_answer) else { return };
        let asked = self.asked.get(connection).copied().unwrap_or_default();
        if asked.is_post {
            self.verdict.answers += 1;
            if self.synced_from.is_none_or(|from| from < asked.at) {
                self.verdict.early.push(format!("line {}: {text}", at + 1));
            }
        }
    }

    /// A call returned.
    fn end(&mut self, began: usize, at: usize, begun: &'a str, ended: &'a str) {
        let result = ended.rsplit_once(" = ").map(|(_, result)| result.trim());
        let result: i64 = result.and_then(|r| r.split(' ').next()?.parse().ok()).unwrap_or(-1);
        if begun.starts_with("fdatasync(") || begun.starts_with("fsync(") {
            if result == 0 {
                self.verdict.syncs += 1;
                self.synced_from = self.synced_from.max(Some(began));
            }
        } else if ["recvfrom(", "recvmsg(", "read(", "readv("].iter().any(|c| begun.starts_with(c))
            && result > 0
            && let Some(connection) = connection(begun)
        {
            let asked = self.asked.entry(connection).or_default();
            asked.at = at;
            let brought = |what: &str| begun.contains(what) || ended.contains(what);
            if brought("\"POST /") || brought("\"GET /") {
                asked.is_post = brought("\"POST /");
            }
        }
    }
}

/// The two ends of the connection a call is about.
fn connection(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<TCP:[")?;
    rest.split_once("]>").map(|(ends, _)| ends)
}
