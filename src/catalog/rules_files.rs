//! Rules files -> the rules that apply. The file of the option `--rules` and the logdir's own file are read again when they change.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::health::{Fault, Health, Problem};
use crate::{model::rules::Rules, source::Source, types::RunName};

/// The name of the logdir's own rules file.
pub const LOGDIR_RULES: &str = ".convscope.toml";

const LOOK_EVERY: Duration = Duration::from_secs(1);
const LONGEST_FILE: usize = 1 << 20;

/// The rules that apply, and where they come from.
pub(super) struct RulesFiles {
    files: Vec<RulesFile>,
    rules: Arc<Rules>,
    looked: Option<Instant>,
}

struct RulesFile {
    path: PathBuf,
    /// Whether the user named it. The logdir's own file may be missing.
    is_named: bool,
    seen: Option<Vec<u8>>,
    rules: Rules,
    /// What is wrong with the content that was last read.
    mistake: Option<String>,
    /// Why it could not be read the last time.
    trouble: Option<String>,
}

impl RulesFiles {
    /// Before the first look. The rules of the named file have priority over the logdir's own.
    pub(super) fn new(named: Option<PathBuf>, root: &Path) -> Self {
        let named = named.map(|path| RulesFile::new(path, true));
        let files = named.into_iter().chain([RulesFile::new(root.join(LOGDIR_RULES), false)]).collect();
        Self { files, rules: Arc::default(), looked: None }
    }

    /// The rules that apply.
    pub(super) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules)
    }

    /// When to look again.
    pub(super) fn next_look(&self) -> Instant {
        self.looked.map_or_else(Instant::now, |looked| looked + LOOK_EVERY)
    }

    /// Reads the files if it is time, and returns whether the rules changed. If a file has a mistake, its old rules are kept.
    pub(super) fn look(&mut self, source: &dyn Source, health: &mut Health) -> bool {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return false;
        }
        self.looked = Some(Instant::now());
        let mut is_changed = false;
        for file in &mut self.files {
            is_changed |= file.look(source);
            file.report(health);
        }
        if is_changed {
            self.rules = Arc::new(Rules::joined(self.files.iter().map(|file| &file.rules)));
        }
        is_changed
    }
}

impl RulesFile {
    fn new(path: PathBuf, is_named: bool) -> Self {
        Self { path, is_named, seen: None, rules: Rules::default(), mistake: None, trouble: None }
    }

    fn look(&mut self, source: &dyn Source) -> bool {
        let bytes = match source.read_whole(&self.path, LONGEST_FILE) {
            Ok(bytes) => Some(bytes),
            Err(error) if is_missing(&error) && !self.is_named => None,
            Err(error) => {
                self.trouble = Some(format!("{}; the rules before stay", trouble(&error)));
                return false;
            }
        };
        self.trouble = None;
        if bytes == self.seen {
            return false;
        }
        let parsed = bytes.as_ref().map_or_else(|| Ok(Rules::default()), |bytes| parse(&self.path, bytes));
        self.seen = bytes;
        match parsed {
            Ok(rules) => {
                (self.rules, self.mistake) = (rules, None);
                true
            }
            Err(message) => {
                self.mistake = Some(format!("{message}; the rules before stay"));
                false
            }
        }
    }

    fn report(&self, health: &mut Health) {
        let (run, file) = (RunName::from("."), self.path.display().to_string());
        match self.trouble.as_ref().or(self.mistake.as_ref()) {
            Some(message) => health.set(Problem {
                run,
                file,
                offset: 0,
                fault: Fault::BadRules,
                message: message.clone(),
                count: 1,
            }),
            None => health.clear(&run, &file, Fault::BadRules),
        }
    }
}

/// Whether there is no such file. If the logdir is a file, there is none in it either.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn trouble(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::FileTooLarge => too_large(),
        _ => format!("cannot be read: {error}"),
    }
}

fn too_large() -> String {
    format!(
        "it has more than {LONGEST_FILE} bytes, the most of a rules file: use globs in place of many rules"
    )
}

/// Reads a rules file.
///
/// # Errors
/// What is wrong with it, with line and column.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Rules, String> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    if bytes.len() > LONGEST_FILE {
        return Err(too_large());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').next_back().unwrap_or_default();
        let (n_lines, column) =
            (before.split(|byte| *byte == b'\n').count(), String::from_utf8_lossy(line).chars().count());
        format!("line {n_lines}, column {}: not UTF-8, in which a rules file is written", column + 1)
    })?;
    Rules::parse(text, &name).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, atomic::AtomicBool};

    use super::*;
    use crate::source::{FileStat, Identity, Listing};

    /// A logdir of which only the rules file is looked at, which can be anything at any time.
    struct Scripted(Mutex<io::Result<Vec<u8>>>);

    impl Scripted {
        fn set(&self, next: io::Result<&str>) {
            *self.0.lock().unwrap() = next.map(|text| text.as_bytes().to_vec());
        }
    }

    impl Source for Scripted {
        fn root(&self) -> &Path {
            Path::new("/")
        }

        fn list(&self, _: &AtomicBool) -> io::Result<Listing> {
            Ok(Listing::default())
        }

        fn directory(&self, _: &Path) -> io::Result<Identity> {
            Err(io::ErrorKind::NotFound.into())
        }

        fn stat(&self, _: &Path) -> io::Result<FileStat> {
            Err(io::ErrorKind::NotFound.into())
        }

        fn read_at(&self, _: &Path, _: u64, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }

        fn read_whole(&self, _: &Path, _: usize) -> io::Result<Vec<u8>> {
            self.0.lock().unwrap().as_ref().map(Clone::clone).map_err(|error| error.kind().into())
        }
    }

    const GOOD: &str = "[[rule]]\ntag = \"a\"\nlayer = \"b\"\n";

    #[test]
    fn a_passing_fault_leaves_nothing_behind() {
        let source = Scripted(Mutex::new(Ok(GOOD.into())));
        let (mut rules_files, mut health) = (RulesFiles::new(None, source.root()), Health::default());
        let mut look = |next: io::Result<&str>| {
            source.set(next);
            rules_files.looked = None;
            let is_changed = rules_files.look(&source, &mut health);
            (
                is_changed,
                health.problems().first().map(|problem| problem.message.clone()),
                rules_files.rules.len(),
            )
        };
        let denied = || Err(io::ErrorKind::PermissionDenied.into());
        let says = |said: Option<String>, word: &str| said.is_some_and(|message| message.contains(word));
        assert_eq!(look(Ok(GOOD)), (true, None, 1));
        // It cannot be read for a moment, and is then as it was.
        let (is_changed, said, n_rules) = look(denied());
        assert!(!is_changed && says(said, "cannot be read") && n_rules == 1);
        assert_eq!(look(Ok(GOOD)), (false, None, 1));
        // It is half written for a moment.
        let (is_changed, said, n_rules) = look(Ok(&GOOD[..16]));
        assert!(!is_changed && says(said, "line 2") && n_rules == 1);
        // A fault in between does not hide the mistake that is still there.
        assert!(says(look(denied()).1, "cannot be read"));
        assert!(says(look(Ok(&GOOD[..16])).1, "line 2"));
        assert_eq!(look(Ok(GOOD)).1, None);
        assert_eq!(look(Err(io::ErrorKind::NotFound.into())), (true, None, 0));
    }

    #[test]
    fn a_file_that_is_too_large_is_told_with_the_limit_and_a_logdir_that_is_a_file_has_no_rules() {
        let source = Scripted(Mutex::new(Err(io::ErrorKind::FileTooLarge.into())));
        let mut health = Health::default();
        let mut look = |next: io::ErrorKind, named: Option<PathBuf>| {
            source.set(Err(next.into()));
            RulesFiles::new(named, source.root()).look(&source, &mut health);
            health.problems().first().map(|problem| problem.message.clone())
        };
        let said = look(io::ErrorKind::FileTooLarge, None).unwrap_or_default();
        let expected =
            "it has more than 1048576 bytes, the most of a rules file: use globs in place of many rules";
        assert_eq!(said, format!("{expected}; the rules before stay"));
        assert_eq!(parse(Path::new("a.toml"), &vec![b' '; LONGEST_FILE + 1]).unwrap_err(), expected);
        assert_eq!(look(io::ErrorKind::NotADirectory, None), None);
        let said = look(io::ErrorKind::NotADirectory, Some("/x/rules.toml".into()));
        assert!(said.is_some(), "a file that was named should be there");
    }
}
