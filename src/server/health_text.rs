//! The health of the daemon -> the text of the answer; a long text is made once and cached while it is current.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

use super::{
    gzip::{Deflated, Gzip},
    settings::Settings,
    wire::json,
};
use crate::{
    answers::pool::Pool,
    catalog::{Catalog, health::Problem, snapshot::Snapshot},
    listing::health::HealthJson,
    lookup::error::AnswerError,
};

/// With at most this many problems, the text is made for each request.
const FEW_PROBLEMS: usize = 16;

/// The newest long text.
#[derive(Default)]
pub(super) struct HealthText(Mutex<Option<CachedText>>);

struct CachedText {
    /// The text without the problems.
    head: Bytes,
    /// The problems in the text; a list at one address never changes.
    problems: Weak<Vec<Problem>>,
    text: Text,
}

/// A text, plain and compressed.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) plain: Bytes,
    /// `None` for a short text.
    pub(super) gzip: Option<Bytes>,
}

impl HealthText {
    /// The current text.
    ///
    /// # Errors
    /// Only defects of ConvScope.
    pub(super) async fn now(
        self: &Arc<Self>,
        catalog: &Catalog,
        settings: &Settings,
        pool: &Pool,
    ) -> Result<Text, AnswerError> {
        let snapshot = catalog.snapshot();
        let checked = catalog.checked().progress();
        let (logdir, is_demo) = (settings.logdir.clone(), settings.is_demo);
        let head = json(&HealthJson::without_problems(&snapshot, checked, &logdir, is_demo))?;
        if snapshot.problems.len() <= FEW_PROBLEMS {
            let plain = json(&HealthJson::of(&snapshot, checked, &logdir, is_demo))?;
            return Ok(Text { plain, gzip: None });
        }
        if let Some(text) = self.cached(&head, &snapshot) {
            return Ok(text);
        }
        let of_all = Arc::clone(self);
        let make = move || {
            // Another request may have made it in the meantime.
            if let Some(text) = of_all.cached(&head, &snapshot) {
                return Ok(text);
            }
            let text = Text::of(json(&HealthJson::of(&snapshot, checked, &logdir, is_demo))?);
            of_all.store(CachedText {
                head,
                problems: Arc::downgrade(&snapshot.problems),
                text: text.clone(),
            });
            Ok(text)
        };
        pool.run_short(make).await?
    }

    fn cached(&self, head: &Bytes, snapshot: &Snapshot) -> Option<Text> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = |cached: &&CachedText| {
            cached.head == *head && std::ptr::eq(cached.problems.as_ptr(), Arc::as_ptr(&snapshot.problems))
        };
        cached.as_ref().filter(is_current).map(|cached| cached.text.clone())
    }

    fn store(&self, cached: CachedText) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cached);
    }
}

impl Text {
    fn of(plain: Bytes) -> Self {
        let (mut gzip, mut file) = (Gzip::new(), Gzip::HEADER.to_vec());
        gzip.put_deflated(&mut file, &Deflated::of(&plain));
        gzip.put_end(&mut file);
        Self { plain, gzip: Some(file.into()) }
    }
}
