//! Answers that come in pages, one page after another, as the models' paginators say, with a limit on everything.

mod state;

use std::fmt;
use std::time::Duration;

use quell_model::ErrorKind;
use serde_json::Value;
use tokio::time::Instant;

use crate::error::AwsError;
use crate::session::{ReadSession, Response};
use state::Paging;

/// How much is read at most.
#[derive(Clone, Debug)]
pub struct PageLimits {
    /// When there are more pages than this, it is an error: an answer that seems whole and is not would mislead.
    pub pages_max: usize,
    /// No more items of the main result than this are wanted; the page that has more is cut, and is the last.
    pub items_max: Option<usize>,
    /// All pages must have come within this time.
    pub time_max: Duration,
}

impl Default for PageLimits {
    /// A thousand pages within fifteen minutes.
    fn default() -> Self {
        Self {
            pages_max: 1000,
            items_max: None,
            time_max: Duration::from_secs(15 * 60),
        }
    }
}

/// The pages did not come to their end.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A call for a page failed.
    #[error(transparent)]
    Call(#[from] AwsError),
    /// The model has no paginator for the operation.
    #[error("{service} {operation} does not answer in pages")]
    NotPaged {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
    },
    /// The service names a next page that has been read already.
    #[error("{operation}: page {page} names a page that has been read, so there would be no end")]
    Repeats {
        /// The operation.
        operation: String,
        /// The page that does, from 1.
        page: usize,
    },
    /// The service says that there is more, and not where.
    #[error("{operation}: page {page} says that there is more, and does not name the next page")]
    NoToken {
        /// The operation.
        operation: String,
        /// The page that does, from 1.
        page: usize,
    },
    /// There are more pages than the limit.
    #[error("{operation}: there are more than {pages_max} pages")]
    TooMany {
        /// The operation.
        operation: String,
        /// The limit.
        pages_max: usize,
    },
    /// The pages did not come in time.
    #[error("{operation}: page {page} did not come within the {time_max:?} that all pages have")]
    TooLate {
        /// The operation.
        operation: String,
        /// The page that did not come, from 1.
        page: usize,
        /// The limit.
        time_max: Duration,
    },
}

impl PageError {
    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Call(error) => error.kind(),
            Self::NotPaged { .. } | Self::TooMany { .. } => ErrorKind::Invalid,
            Self::Repeats { .. } | Self::NoToken { .. } | Self::TooLate { .. } => {
                ErrorKind::Unavailable
            }
        }
    }
}

/// The pages of one answer: a stream that asks for a page when the next one is wanted.
pub struct Pages {
    session: ReadSession,
    service: String,
    state: Paging,
    time_max: Duration,
    deadline: Instant,
}

/// All pages as one answer.
#[derive(Clone)]
pub struct AllPages {
    /// The first page, with the results of the others added: lists follow each other, numbers are added up, texts
    /// are joined. The names of next pages are left out.
    pub value: Value,
    /// Whether there is more than was wanted.
    pub has_more: bool,
}

/// The items of an answer's main result, one by one.
pub struct Items {
    pages: Pages,
    ready: std::vec::IntoIter<Value>,
}

/// Without parameters and answers, which may hold what must not be printed.
impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("service", &self.service)
            .field("operation", &self.state.operation())
            .finish_non_exhaustive()
    }
}

/// As [`Pages`].
impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pages.fmt(f)
    }
}

impl Pages {
    pub(crate) fn new(
        session: &ReadSession,
        service: &str,
        operation: &str,
        params: &Value,
        limits: &PageLimits,
    ) -> Result<Self, PageError> {
        let name = crate::names::sdk_service(service);
        let (model, _) = crate::registry::operation(name, operation)?;
        let paginator = model.paginators.get(operation);
        let paginator = paginator.ok_or_else(|| PageError::NotPaged {
            service: name.to_owned(),
            operation: operation.to_owned(),
        })?;
        Ok(Self {
            session: session.clone(),
            service: name.to_owned(),
            state: Paging::new(name, operation, paginator, params, limits),
            time_max: limits.time_max,
            deadline: Instant::now() + limits.time_max,
        })
    }

    /// The next page; `None` after the last. After an error there is none either.
    ///
    /// # Errors
    /// [`PageError`] says why the pages before are not all.
    pub async fn next(&mut self) -> Result<Option<Response>, PageError> {
        if !self.state.begin_page()? {
            return Ok(None);
        }
        let asked = self
            .session
            .call(&self.service, self.state.operation(), self.state.params());
        let answered = tokio::time::timeout_at(self.deadline, asked).await;
        let mut page = answered.map_err(|_| self.state.too_late(self.time_max))??;
        self.state.take_page(&mut page.value)?;
        Ok(Some(page))
    }

    /// Whether the limit of items, and not the end, was what ended it.
    pub fn has_more(&self) -> bool {
        self.state.has_more()
    }

    /// The items of the main result one by one, instead of the pages.
    pub fn items(self) -> Items {
        Items {
            pages: self,
            ready: Vec::new().into_iter(),
        }
    }

    /// Reads all pages and makes one answer of them. It is as large as the pages together: `pages_max` times the
    /// client's `answer_bytes_max` at most, so whoever reads much takes pages or items instead.
    ///
    /// # Errors
    /// As [`Pages::next`].
    pub async fn all(mut self) -> Result<AllPages, PageError> {
        let mut value = Value::Null;
        while let Some(page) = self.next().await? {
            let page = page.value.to_json();
            if value.is_null() {
                value = page;
            } else {
                self.state.add(&mut value, page);
            }
        }
        self.state.drop_tokens(&mut value);
        Ok(AllPages {
            value,
            has_more: self.state.has_more(),
        })
    }
}

impl Items {
    /// The next item; `None` after the last.
    ///
    /// # Errors
    /// As [`Pages::next`].
    pub async fn next(&mut self) -> Result<Option<Value>, PageError> {
        loop {
            if let Some(item) = self.ready.next() {
                return Ok(Some(item));
            }
            let Some(page) = self.pages.next().await? else {
                return Ok(None);
            };
            self.ready = self.pages.state.items_of(&page.value).into_iter();
        }
    }

    /// As [`Pages::has_more`].
    pub fn has_more(&self) -> bool {
        self.pages.has_more()
    }
}
