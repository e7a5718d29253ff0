//! Browsers that have sent the token once -> random numbers that identify their sessions.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::types::digits;

/// If there are more sessions, the least recently used one ends.
const MOST_SESSIONS: usize = 1024;
const LEN_BYTES: usize = 16;

#[derive(Default)]
pub(super) struct Sessions(Mutex<SessionTable>);

#[derive(Default)]
struct SessionTable {
    clock: u64,
    /// For each session the value of `clock` when it was last used.
    used: HashMap<String, u64>,
}

impl Sessions {
    /// Starts a session.
    ///
    /// # Errors
    /// When the operating system provides no random numbers.
    pub(super) fn begin(&self) -> Result<String, getrandom::Error> {
        let number = random_number()?;
        let mut table = self.table();
        if table.used.len() >= MOST_SESSIONS {
            table.end_oldest();
        }
        table.mark_used(number.clone());
        Ok(number)
    }

    /// Whether the session exists; if so, it counts as used now.
    pub(super) fn knows(&self, number: &str) -> bool {
        let mut table = self.table();
        let is_known = table.used.contains_key(number);
        if is_known {
            table.mark_used(number.to_owned());
        }
        is_known
    }

    fn table(&self) -> MutexGuard<'_, SessionTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionTable {
    fn mark_used(&mut self, number: String) {
        self.clock += 1;
        self.used.insert(number, self.clock);
    }

    fn end_oldest(&mut self) {
        let oldest = self.used.iter().min_by_key(|(_, used)| **used).map(|(number, _)| number.clone());
        if let Some(oldest) = oldest {
            self.used.remove(&oldest);
        }
    }
}

/// A random number of the operating system, in hexadecimal digits.
pub(super) fn random_number() -> Result<String, getrandom::Error> {
    let mut bytes = [0; LEN_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(digits(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_random_bounded_and_the_used_ones_stay() {
        let sessions = Sessions::default();
        let (first, second) = (sessions.begin().unwrap(), sessions.begin().unwrap());
        assert_eq!((first.len(), second.len()), (32, 32));
        assert!(first != second && !sessions.knows("0"));
        for _ in 0..2 * MOST_SESSIONS {
            sessions.begin().unwrap();
            assert!(sessions.knows(&first));
        }
        assert!(!sessions.knows(&second));
        assert_eq!(sessions.table().used.len(), MOST_SESSIONS);
    }
}
