//! The built-in stages, sinks and sources: one row each. To add a stage, add its row.

use Guard::{Flattens, Inserted, Pullable, Saved, SendItems, Sendable, Unmarked, Unordered};
use Pulls::{Alone, Many, Through};
use Takes::{Checked, Context, Count, Flag, Message, Mode, Sampler, Upstream, Value, Word};

#[derive(PartialEq)]
pub(crate) struct Row {
    /// As in the language; the function is at the same path in the runtime.
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    /// Further parameters, which several rows share.
    pub(crate) options: &'static [Param],
    pub(crate) pulls: Pulls,
    pub(crate) lowers: Lowers,
    /// The runtime's checks before the stage, in this order.
    pub(crate) guards: &'static [Guard],
    pub(crate) handle: Handle,
    /// `collect::<C>()`
    pub(crate) generic: bool,
    /// The function of that name in `__private` is called, which checks more than the public one.
    pub(crate) checked: bool,
    /// What the setters give goes through these functions of `__private`, which check and complete it.
    pub(crate) finish: &'static [Finish],
}

/// A function of `__private`, and the options that it is about: what rustc says of it points at the first of them that is given.
pub(crate) type Finish = (&'static str, &'static [&'static str]);

#[derive(PartialEq)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) is: Is,
    pub(crate) takes: Takes,
}

/// What becomes of a parameter.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Is {
    /// An argument of the function.
    Needed,
    /// An argument of the function; left out, it is this path in the runtime.
    Or(&'static str),
    /// A setter that has to be called.
    Asked,
    /// A setter, called if the option is given.
    Optional,
    /// `true` calls this setter instead, which may change the type; `false` calls none.
    Switch(&'static str),
    /// `true` sends the source, before its setters, through this function of `__private`, which may change the type.
    Around(&'static str),
    /// Optional; this setter is called, which checks more than the public one.
    By(&'static str),
    /// Not the user's to give: this number.
    Fixed(usize),
}

/// What a parameter takes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Takes {
    Value,
    /// A number, of which a literal 0 is refused.
    Count,
    /// A function of the item, and what it returns.
    Function(Function),
    /// A function that captures nothing, for worker processes; and the value that one takes a reference to.
    Pointer(Pointer),
    Context,
    /// Anything, but a closure is one of a reference to the item.
    Message,
    /// Another stream: a track of the block, or any iterable.
    Upstream,
    /// The handle of an order, or a marker.
    Order,
    Marker,
    /// One of these words, which may have arguments; or any expression.
    Word(&'static [Row]),
    /// Likewise one of the words for who loads.
    Mode(&'static [Row]),
    /// A sampler: an expression that may begin with `sampler::`, which is the runtime's.
    Sampler,
    /// `true` or `false` as a literal: it changes a type.
    Flag,
    /// An expression, which this function of `__private` checks.
    Checked(&'static str),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Function {
    /// Of the item, of a reference to it, or of nothing.
    Item(Out),
    Ref(Out),
    Call,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Pointer {
    /// Of the item, or of a reference to it.
    Item,
    Ref,
    /// Of references to a context or a state before it, and the item.
    Context,
    State,
    /// Of nothing: it makes the state.
    Init,
}

/// What a function returns.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Out {
    Any,
    Unit,
    Bool,
    Option,
    Result,
}

/// Who pulls what stands above the stage.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Pulls {
    /// As many threads as pull the stage itself.
    Through,
    /// One at a time.
    Alone,
    /// Its workers, all at once.
    Many,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Lowers {
    /// `path(up, args…).setter(…)…`
    Plain,
    /// Likewise, but a function that one thread at a time calls goes to `path_mut`.
    Twins,
    /// First this function of `__private` with the arguments, then a queue of the stage's name with the setters.
    Queue(&'static str),
    /// A method that `Pipeline` has as an `Iterator`, even where that trait is not in scope.
    Iterator,
    /// A word: this path in the runtime, called if the word has parameters.
    Word(&'static str),
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Guard {
    SendItems,
    Pullable,
    /// One other thread pulls.
    Sendable,
    Unordered,
    /// Waived by any option: all that `partition` has say where markers go.
    Unmarked,
    Saved,
    Inserted,
    /// The items have items.
    Flattens,
}

/// What `NAME @` binds.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Handle {
    No,
    /// Live figures and levers.
    Live,
    /// An order or a marker, which has a type of its own, called like the name.
    Order,
    Marker,
    /// Likewise a marker, which is there only if it is bound.
    EpochMarker,
}

impl Handle {
    pub(crate) fn is_marker(self) -> bool {
        matches!(self, Handle::Marker | Handle::EpochMarker)
    }
}

pub(crate) static STAGES: &[Row] = &[
    row("map", Through, &[of_item("f", Out::Any)]).twins(),
    row("each", Through, &[of_ref("f", Out::Unit)]).twins(),
    row("filter", Through, &[of_ref("pred", Out::Bool)]).twins(),
    row("filter_map", Through, &[of_item("f", Out::Option)]).twins(),
    row("try_map", Through, &[of_item("f", Out::Result)]).twins().checked(),
    row("take", Alone, &[needed("n", Count)]),
    row("skip", Alone, &[needed("n", Count)]),
    row("enumerate", Alone, &[]),
    row("zip", Alone, &[needed("other", Upstream)]),
    row("chain", Alone, &[needed("other", Upstream)]).guards(&[Unordered]),
    row("flatten", Alone, &[]).guards(&[Flattens, Unordered]),
    row("flatten_eager", Alone, &[]).guards(&[Flattens, Unordered]),
    row("partition", Alone, &[needed("n", Count)]).options(PLACING).guards(&[Unordered, Unmarked]),
    row("ratelimit", Alone, &[needed("num", Count), needed("period", Value)]).handle(Handle::Live),
    row("share", Alone, &[]),
    row("debug::print_on_item", Through, &[needed("msg", Message)]),
    row("progress", Through, &[needed("label", Value)]).options(&[optional("len", Value)]).handle(Handle::Live),
    row("thread::queue", Many, &[]).options(QUEUE).guards(QUEUED).handle(Handle::Live),
    row("thread::map", Many, &[of_item("f", Out::Any)])
        .options(QUEUE)
        .guards(QUEUED)
        .handle(Handle::Live)
        .queue("named"),
    row("thread::each", Many, &[of_ref("f", Out::Unit)])
        .options(QUEUE)
        .guards(QUEUED)
        .handle(Handle::Live)
        .queue("named_each"),
    row("thread::map_init", Many, &[needed("init", Value), needed("f", Value)])
        .options(QUEUE)
        .guards(QUEUED)
        .handle(Handle::Live)
        .queue("named_init"),
    row("thread::mutex", Alone, &[]),
    row("process::map", Alone, &[pointer("f", Pointer::Item)]).processes(),
    row("process::each", Alone, &[pointer("f", Pointer::Ref)]).processes(),
    row("process::map_with", Alone, &[needed("ctx", Context), pointer("f", Pointer::Context)]).processes(),
    row("process::map_init", Alone, &[pointer("init", Pointer::Init), pointer("f", Pointer::State)]).processes(),
    row("marker::insert_periodic", Alone, &[])
        .options(&[optional("n", Count), optional("after", Value)])
        .guards(&[Unordered])
        .handle(Handle::Marker),
    row("marker::on", Through, &[of_nothing("f"), MARKER]).options(&[CONSUME]).guards(&[Inserted]).twins(),
    row("marker::until", Alone, &[MARKER]).guards(&[Inserted]),
    row("order::save", Alone, &[needed("maxsize", Count)]).handle(Handle::Order),
    row("order::load", Alone, &[needed("o", Takes::Order)]).guards(&[Saved]),
];

/// Methods of `Pipeline`, or what it has as an `Iterator`.
pub(crate) static SINKS: &[Row] = &[
    row("collect", Alone, &[]).generic().iterators(),
    row("try_collect", Alone, &[]).generic(),
    row("for_each", Alone, &[needed("f", Value)]).iterators(),
    row("try_for_each", Alone, &[needed("f", Value)]),
    row("fold", Alone, &[needed("init", Value), needed("f", Value)]).iterators(),
    row("count", Alone, &[]).iterators(),
];

/// A source may have several rows: the first that has room for the arguments is meant.
pub(crate) static SOURCES: &[Row] = &[
    row("range", Alone, &[fixed(0), needed("n", Value)]).checked(),
    row("range", Alone, &[needed("a", Value), needed("b", Value)]).options(&[optional("step", Count)]).checked(),
    row("dataloader::load", Alone, &[needed("dataset", Checked("a_dataset"))])
        .options(LOADER)
        .handle(Handle::EpochMarker)
        .finished_by(&[
            ("shares", &["map"]),
            ("collates", &["collate_map", "map"]),
            ("gives", &["map"]),
            ("takes", &["collate_map", "map"]),
            ("loader", &[]),
        ]),
];

/// First segments of paths that are the language's, so that a slip below one of them is no stage of the user's.
pub(crate) static SPACES: &[&str] = &["thread", "process", "marker", "order", "debug", "dataloader"];

const WORKERS: Param = Param { name: "workers", is: Is::Asked, takes: Count };
const QUEUE: &[Param] = &[
    WORKERS,
    optional("maxsize", Count),
    optional("warn_timeout", Value),
    optional("end_timeout", Value),
    optional("on_worker_error", Word(ON_WORKER_ERROR)),
    optional("scope", Value),
];
const QUEUED: &[Guard] = &[SendItems, Pullable];
const ON_WORKER_ERROR: &[Row] = &[
    word("forward", "OnWorkerError::Forward", &[]),
    word("exit", "OnWorkerError::Exit", &[]),
    word("forward_and_print", "OnWorkerError::ForwardAndPrint", &[]),
];
const PROCESSES: &[Param] = &[
    WORKERS,
    optional("maxsize", Count),
    optional("input_maxsize", Count),
    optional("start_timeout", Value),
    optional("end_timeout", Value),
    optional("item_timeout", Value),
    optional("warn_timeout", Value),
    optional("on_worker_error", Word(ON_WORKER_ERROR)),
    optional("on_death", Word(ON_DEATH)),
    optional("scope", Value),
];
const ON_DEATH: &[Row] = &[
    word("fail", "process::OnDeath::Fail", &[]),
    word("skip", "process::OnDeath::Skip", &[]),
    word("retry", "process::OnDeath::Retry", &[needed("n", Count)]),
];
const LOADER: &[Param] = &[
    Param { name: "batchsize", is: Is::Asked, takes: Count },
    optional("sampler", Sampler),
    optional("map", Mode(MODES)),
    Param { name: "collate", is: Is::By("collated"), takes: Value },
    optional("collate_map", Mode(MODES)),
    optional("epoch_end", Word(EPOCH_END)),
    Param { name: "fallible", is: Is::Around("may_fail"), takes: Flag },
];
const MODES: &[Row] = &[
    word("serial", "dataloader::Serial", &[]),
    word("thread", "dataloader::thread", &[WORKERS, optional("maxsize", Count), optional("scope", Value)]),
    word(
        "process",
        "dataloader::process",
        &[
            WORKERS,
            optional("maxsize", Count),
            optional("start_timeout", Value),
            optional("end_timeout", Value),
            optional("item_timeout", Value),
            optional("on_worker_error", Word(ON_WORKER_ERROR)),
            optional("on_death", Word(ON_DEATH)),
        ],
    ),
];
const EPOCH_END: &[Row] = &[
    word("ignore", "dataloader::EpochEnd::Ignore", &[]),
    word("keep_last", "dataloader::EpochEnd::KeepLast", &[]),
    word("drop_last", "dataloader::EpochEnd::DropLast", &[]),
];
const PLACING: &[Param] = &[
    optional("markers", Word(&[word("before", "marker::Before", &[]), word("after", "marker::After", &[])])),
    optional("split_on_marker", Value),
];
const MARKER: Param = Param { name: "m", is: Is::Or("marker::Any"), takes: Takes::Marker };
const CONSUME: Param = Param { name: "consume", is: Is::Switch("consumed"), takes: Value };

const fn needed(name: &'static str, takes: Takes) -> Param {
    Param { name, is: Is::Needed, takes }
}

const fn optional(name: &'static str, takes: Takes) -> Param {
    Param { name, is: Is::Optional, takes }
}

const fn fixed(number: usize) -> Param {
    Param { name: "", is: Is::Fixed(number), takes: Value }
}

const fn of_item(name: &'static str, out: Out) -> Param {
    needed(name, Takes::Function(Function::Item(out)))
}

const fn of_ref(name: &'static str, out: Out) -> Param {
    needed(name, Takes::Function(Function::Ref(out)))
}

const fn pointer(name: &'static str, pointer: Pointer) -> Param {
    needed(name, Takes::Pointer(pointer))
}

const fn of_nothing(name: &'static str) -> Param {
    needed(name, Takes::Function(Function::Call))
}

const fn row(name: &'static str, pulls: Pulls, params: &'static [Param]) -> Row {
    let (lowers, handle) = (Lowers::Plain, Handle::No);
    Row { name, params, options: &[], pulls, lowers, guards: &[], handle, generic: false, checked: false, finish: &[] }
}

/// Of its parameters those that are needed are arguments, the others setters.
const fn word(name: &'static str, path: &'static str, params: &'static [Param]) -> Row {
    Row { lowers: Lowers::Word(path), ..row(name, Through, params) }
}

impl Row {
    const fn options(self, options: &'static [Param]) -> Row {
        Row { options, ..self }
    }

    const fn guards(self, guards: &'static [Guard]) -> Row {
        Row { guards, ..self }
    }

    const fn handle(self, handle: Handle) -> Row {
        Row { handle, ..self }
    }

    const fn twins(self) -> Row {
        Row { lowers: Lowers::Twins, ..self }
    }

    const fn queue(self, part: &'static str) -> Row {
        Row { lowers: Lowers::Queue(part), ..self }
    }

    const fn processes(self) -> Row {
        self.options(PROCESSES).guards(&[Sendable]).handle(Handle::Live)
    }

    const fn iterators(self) -> Row {
        Row { lowers: Lowers::Iterator, ..self }
    }

    const fn generic(self) -> Row {
        Row { generic: true, ..self }
    }

    const fn checked(self) -> Row {
        Row { checked: true, ..self }
    }

    const fn finished_by(self, finish: &'static [Finish]) -> Row {
        Row { finish, ..self }
    }

    /// The parameters that a user may give, in their order.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static Param> + Clone {
        self.all().filter(|param| !matches!(param.is, Is::Fixed(_)))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &'static Param> + Clone {
        self.params.iter().chain(self.options)
    }

    /// `` `partition(n, markers = …)` ``, for errors.
    pub(crate) fn signature(&self) -> String {
        let names: Vec<String> = self.given().map(Param::signature).collect();
        format!("`{}({})`", self.name, names.join(", "))
    }

    pub(crate) fn takes(&self, what: Takes) -> bool {
        self.all().any(|param| param.takes == what)
    }
}

impl Pointer {
    /// Its arguments, for errors.
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Pointer::Item | Pointer::Ref => &["x"],
            Pointer::Context => &["ctx", "x"],
            Pointer::State => &["state", "x"],
            Pointer::Init => &[],
        }
    }
}

impl Param {
    pub(crate) fn is_needed(&self) -> bool {
        matches!(self.is, Is::Needed | Is::Asked)
    }

    fn signature(&self) -> String {
        if self.is_needed() { self.name.to_owned() } else { format!("{} = …", self.name) }
    }
}

pub(crate) fn stage(name: &str) -> Option<&'static Row> {
    STAGES.iter().find(|row| row.name == name)
}

pub(crate) fn sink(name: &str) -> Option<&'static Row> {
    SINKS.iter().find(|row| row.name == name)
}

pub(crate) fn sources(name: &str) -> impl Iterator<Item = &'static Row> + Clone {
    SOURCES.iter().filter(move |row| row.name == name)
}

pub(crate) fn is_source(name: &str) -> bool {
    SOURCES.iter().any(|row| row.name == name)
}
