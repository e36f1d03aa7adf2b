//! What ends a pipeline early, and where it happened.
use std::any::Any;
use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, panic_any, resume_unwind};
use std::sync::Arc;

/// A stage as its user wrote it: the name in the language, and the place in the source.
///
/// `#[track_caller]` on the constructors fills it, by macro and by hand alike.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Site {
    name: &'static str,
    at: &'static Location<'static>,
    /// Of a stage that is composed of others.
    part: Option<Part>,
}

/// One of the stages that another one is composed of.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Part {
    /// Where an error is said to have been.
    of: &'static str,
    /// Its name in pictures and reports.
    title: &'static str,
}

impl Site {
    /// The place of whoever calls the caller of this.
    #[track_caller]
    pub(crate) fn here(name: &'static str) -> Self {
        Self { name, at: Location::caller(), part: None }
    }

    /// One of the stages it is composed of. What stands for the same `of` tells of its errors, the first of those has them.
    #[cfg(feature = "dataloader")]
    pub(crate) fn part(self, of: &'static str, title: &'static str) -> Self {
        Self { part: Some(Part { of, title }), ..self }
    }

    /// What it is called where its parts are shown.
    pub(crate) fn title(&self) -> &'static str {
        self.part.map_or(self.name, |part| part.title)
    }

    pub(crate) fn is_part(&self) -> bool {
        self.part.is_some()
    }

    /// Whether an error of the one is one of the other.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        let of = |site: &Self| (site.name, site.at, site.part.map(|part| part.of));
        of(self) == of(other)
    }

    /// The stage's name in the language, as `thread::map`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where the stage was written.
    pub fn location(&self) -> &'static Location<'static> {
        self.at
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at {}", self.name, self.at)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a pipeline ended early: a function that panicked or gave an `Err`, a thread that could not be started, an order
/// that was mixed up.
///
/// It says what happened, in which stage, where that stage stands in the source, and which item it was (counted from 0,
/// as taken from the nearest stage that is pulled by one thread at a time). It is cheap to clone: all who ask get the same one.
///
/// ```
/// use tinypl::pipeline;
///
/// let parsed = pipeline! { ["1", "2", "x"] |> try_map(|s| s.parse::<i32>()) |> try_collect::<Vec<_>>() };
/// let error = parsed.unwrap_err();
/// assert_eq!(error.stage(), Some("try_map"));
/// assert_eq!(error.item(), Some(2));
/// assert!(error.to_string().starts_with("invalid digit found in string (in `try_map` at "));
/// ```
#[derive(Clone)]
pub struct Error(Arc<Report>);

#[derive(thiserror::Error)]
#[error("{what}{}", Place(.site, .item))]
struct Report {
    what: String,
    site: Option<Site>,
    item: Option<u64>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    panicked: bool,
}

struct Place<'a>(&'a Option<Site>, &'a Option<u64>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(site), Some(item)) => write!(f, " (in {site}, item {item})"),
            (Some(site), None) => write!(f, " (in {site})"),
            (None, Some(item)) => write!(f, " (item {item})"),
            (None, None) => Ok(()),
        }
    }
}

impl Error {
    /// Something that a stage itself has to say.
    pub(crate) fn of_stage(what: String, site: Site) -> Self {
        Self(Arc::new(Report { what, site: Some(site), item: None, source: None, panicked: false }))
    }

    /// What a stage has to say of an item.
    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn at_item(what: String, site: Site, item: u64) -> Self {
        Self(Arc::new(Report { what, site: Some(site), item: Some(item), source: None, panicked: false }))
    }

    /// A panic in a worker process.
    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) fn of_remote_panic(message: &str, site: Site, item: u64) -> Self {
        let what = format!("panicked: {message}");
        Self(Arc::new(Report { what, site: Some(site), item: Some(item), source: None, panicked: true }))
    }

    /// The `Err` of a user's function.
    pub(crate) fn of_item(source: Box<dyn StdError + Send + Sync>, site: Site, item: u64) -> Self {
        let what = source.to_string();
        Self(Arc::new(Report { what, site: Some(site), item: Some(item), source: Some(source), panicked: false }))
    }

    /// A panic that was caught, and what it noted on its way.
    fn of_panic(payload: &(dyn Any + Send), noted: Noted) -> Self {
        let text = message_of(payload);
        if let (Some(thrown), Some(text)) = (noted.thrown, text)
            && thrown.to_string() == text
        {
            return thrown;
        }
        let (site, item) = (noted.place.map(|place| place.0), noted.place.and_then(|place| place.1));
        let what = format!("panicked: {}", text.unwrap_or("(a payload that is not text)"));
        Self(Arc::new(Report { what, site, item, source: None, panicked: true }))
    }

    /// Panics with this error. Where the panic is caught by another pipeline, that one reports this same error.
    #[cold]
    #[track_caller]
    pub(crate) fn throw(self) -> ! {
        // the panic hook prints it
        panic_any(self.into_panic())
    }

    /// What a panic with this error carries: its text, a `String` as of `panic!`.
    fn into_panic(self) -> String {
        let text = self.to_string();
        NOTED.with_borrow_mut(|noted| noted.thrown = Some(self));
        text
    }

    pub(crate) fn site(&self) -> Option<Site> {
        self.0.site
    }

    /// What happened, without the place: a panic's message after `panicked: `, or the `Err`'s own text.
    pub fn message(&self) -> &str {
        &self.0.what
    }

    /// The name of the stage in which it happened, as `map`.
    pub fn stage(&self) -> Option<&'static str> {
        self.0.site.map(|site| site.name)
    }

    /// Where that stage stands in the source.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.0.site.map(|site| site.at)
    }

    /// The number of the item at hand, from 0, as taken from the nearest stage that is pulled by one thread at a time.
    pub fn item(&self) -> Option<u64> {
        self.0.item
    }

    /// Whether a function panicked (and did not return an `Err`).
    pub fn is_panic(&self) -> bool {
        self.0.panicked
    }
}

/// A panic's message, if it is text.
pub(crate) fn message_of(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}

#[derive(Default)]
struct Noted {
    place: Option<(Site, Option<u64>)>,
    thrown: Option<Error>,
    /// It began in the function of a sink, which is no stage.
    in_sink: bool,
}

thread_local! {
    /// What this thread's panic left behind on its way up.
    static NOTED: RefCell<Noted> = const { RefCell::new(Noted { place: None, thrown: None, in_sink: false }) };
}

impl Noted {
    /// Puts this in the place of what this thread has noted, and gives that. Nearly always neither is anything: then nothing is
    /// moved, for this is done for each item on its way to a process.
    fn exchange(after: Option<Self>) -> Option<Self> {
        NOTED.with_borrow_mut(|noted| {
            let is_empty = noted.place.is_none() && noted.thrown.is_none() && !noted.in_sink;
            (after.is_some() || !is_empty).then(|| std::mem::replace(noted, after.unwrap_or_default()))
        })
    }
}

/// While unwinding: the stage and the item at hand.
pub(crate) fn note_place(site: Site, item: Option<u64>) {
    // the innermost stage noted it first
    NOTED.with_borrow_mut(|noted| *noted.place.get_or_insert((site, item)));
}

/// While unwinding: the number of the item, where the stage could not tell it.
#[cold]
#[inline(never)]
pub(crate) fn note_number(number: u64) {
    NOTED.with_borrow_mut(|noted| {
        if let Some((_, item @ None)) = &mut noted.place {
            *item = Some(number);
        }
    });
}

/// While unwinding out of a stage's own code: its place, if the panic did not begin in what it called.
#[cold]
#[inline(never)]
pub(crate) fn note_stage(site: Site, item: u64) {
    NOTED.with_borrow_mut(|noted| {
        if !noted.in_sink {
            noted.place.get_or_insert((site, Some(item)));
        }
    });
}

/// Runs the function of a sink; a panic of it is the caller's, and no stage's.
#[inline(always)]
pub(crate) fn in_sink<R>(f: impl FnOnce() -> R) -> R {
    struct Sink;
    impl Drop for Sink {
        #[cold]
        fn drop(&mut self) {
            NOTED.with_borrow_mut(|noted| noted.in_sink = true);
        }
    }
    let sink = Sink;
    let r = f();
    std::mem::forget(sink);
    r
}

/// Whether the panic that was caught came from the function of a sink.
pub(crate) fn was_in_sink() -> bool {
    NOTED.with_borrow_mut(|noted| std::mem::take(&mut noted.in_sink))
}

/// What unwinds through a user's function when a pipeline inside it was being pulled by a thread that is to stop: that
/// pipeline has not ended, so the function must not go on as if it had.
struct Stopped;

/// Gives up a pull on a thread that is to stop.
#[cold]
#[inline(never)]
pub(crate) fn unwind_to_stop() -> ! {
    resume_unwind(Box::new(Stopped))
}

/// Runs `f`, a user's function; a panic of it also says what it was `about`.
#[cfg(feature = "dataloader")]
#[inline]
pub(crate) fn naming<R>(about: impl FnOnce() -> String, f: impl FnOnce() -> R) -> R {
    // it goes on at once: nobody sees a state half changed who would not have without this
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(r) => r,
        Err(payload) if payload.is::<Stopped>() => resume_unwind(payload),
        Err(payload) => {
            let text = message_of(&*payload).unwrap_or("(a payload that is not text)");
            // not `panic!`: the panic hook has printed it
            resume_unwind(Box::new(format!("{text} ({})", about())))
        }
    }
}

/// Runs `f`; a panic comes back as an error. If it unwinds because this thread is to stop, `stopped` is the result; without
/// one it unwinds further.
pub(crate) fn caught<R>(stopped: Option<R>, f: impl FnOnce() -> R) -> Result<R, Error> {
    // this may run while another panic unwinds, which has left its note
    let before = Noted::exchange(None);
    // no state is seen again half changed: whoever catches ends what it pulled from
    let result = catch_unwind(AssertUnwindSafe(f)).map_err(error_of);
    Noted::exchange(before);
    match result {
        Ok(r) => Ok(r),
        Err(Ok(error)) => Err(error),
        Err(Err(panic)) => stopped.map_or_else(|| resume_unwind(panic), Ok),
    }
}

/// Runs `f` for somebody who may catch its panic, and go on. What that noted of itself unwinds with it from here: left behind it
/// would be taken for the next one's.
pub(crate) fn handed_on<R>(f: impl FnOnce() -> R) -> R {
    // whoever catches it there ends what he pulled from, or knows what he does
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| match error_of(panic) {
        // not `panic!`: the panic hook has printed it
        Ok(error) => resume_unwind(Box::new(error.into_panic())),
        Err(stopped) => resume_unwind(stopped),
    })
}

/// The error that a panic is. What unwinds because this thread is to stop is none: it comes back.
pub(crate) fn error_of(panic: Box<dyn Any + Send>) -> Result<Error, Box<dyn Any + Send>> {
    if panic.is::<Stopped>() {
        return Err(panic);
    }
    let error = Error::of_panic(&*panic, NOTED.take());
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // a payload that panics when it is dropped; there may be no end to that
        std::mem::forget(another);
    }
    Ok(error)
}
