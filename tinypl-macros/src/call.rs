//! One stage to tokens: `path(up, args…).setter(value)…`, with the runtime's checks before it.

use crate::ast::{Root, Stage, bare, ends, is_punct, is_word, name_of};
use crate::bind::{Given, Word};
use crate::check::{Call, Puller};
use crate::expand::{Nest, apart, parens, upstream};
use crate::function::{Passed, Site};
use crate::names::nearest;
use crate::vocabulary::{self, Guard, Handle, Is, Lowers, Param, Pointer, Pulls, Row, Takes};
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit};

/// The stage on top of what `nest` has.
pub(crate) fn stage(call: &Call, root: &Root, nest: &mut Nest) {
    let up = upstream(call.stage.at());
    nest.name(&up);
    match call.row {
        None => own(call.stage, &up, root, nest),
        Some(row) => Writer { call, row, root, at: call.stage.at(), up }.stage(nest),
    }
}

/// `::tinypl::__private::range((a, b)).step(c)`
pub(crate) fn source(call: &Call, root: &Root, nest: &mut Nest) {
    let Some(row) = call.row else { return };
    let at = call.stage.at();
    let writer = Writer { call, row, root, at, up: upstream(at) };
    let args = row.params.iter().map(|param| writer.arg(param, nest).value).collect::<Vec<_>>();
    let (path, setters) = (writer.path(false), writer.setters());
    let mut args = writer.parens(quote!(#(#args),*));
    if row.checked {
        // as one, so that rustc knows the types of all when it judges them
        args = writer.parens(args);
    }
    nest.set(quote!(#path #args));
    let source = writer.around(nest);
    nest.set(writer.branded(quote!(#source #setters)));
    for (finish, about) in row.finish {
        nest.name(&writer.up);
        let place = writer.place_of(about);
        nest.set(writer.private_at(place, finish, upstream(place).to_token_stream()));
    }
}

/// A clone of a shared track.
pub(crate) fn track(name: &Ident, root: &Root) -> TokenStream {
    let (at, root) = (name.span(), root.at(name.span()));
    quote_spanned!(at=> #root::__private::track(&#name))
}

/// `Iterator::fold(pipeline, init, f)`, or for what no iterator has `pipeline.try_collect()`.
pub(crate) fn sink(call: &Call, pipeline: &TokenStream) -> TokenStream {
    let (at, path) = (call.stage.at(), &call.stage.path);
    let params = call.row.into_iter().flat_map(Row::all);
    let args: Vec<&Expr> = params.filter_map(|param| given(call, param)).map(|given| bare(&given.arg.value)).collect();
    let parens = |args| parens(args, call.stage.parens.unwrap_or(at));
    if call.row.is_some_and(|row| row.lowers == Lowers::Iterator) {
        let args = parens(quote!(#pipeline #(, #args)*));
        return quote_spanned!(at=> ::core::iter::Iterator::#path #args);
    }
    let args = parens(quote!(#(#args),*));
    quote_spanned!(at=> #pipeline.#path #args)
}

/// A stage of the user's: named arguments are setters. The call has the place of its name alone: what rustc says of the
/// function's bounds it says again of the call, unless both are at one place.
fn own(stage: &Stage, up: &Ident, root: &Root, nest: &mut Nest) {
    let (at, root) = (stage.at(), root.at(stage.at()));
    let args: Vec<_> = stage.args.iter().filter(|arg| arg.name.is_none()).map(|arg| bare(&arg.value)).collect();
    let (function, call_args) = (function(stage), parens(quote!(#up #(, #args)*), at));
    let mut call = quote!(#function #call_args);
    if args.is_empty() {
        // of more arguments those that are closures ask what the stream's items are, before the function was judged
        let fits = Ident::new("__fits", at);
        nest.bind(quote_spanned!(at=> (#up, #fits)), quote_spanned!(at=> #root::__private::give(#up)));
        call = quote_spanned!(at=> #root::__private::given(#call, #fits.fits()));
    }
    for arg in &stage.args {
        if let Some(name) = &arg.name {
            call.extend(setter(name, bare(&arg.value).to_token_stream()));
        }
    }
    let own = Ident::new("__own", at);
    nest.bind(&own, call);
    nest.set(quote_spanned!(at=> #root::__private::own(#root::__private::Src::of(&#own).own(#own))));
}

/// The function of a stage of the user's, to be called.
fn function(stage: &Stage) -> TokenStream {
    let (at, path) = (stage.at(), &stage.path);
    let only = Some(&path.path).filter(|path| path.leading_colon.is_none() && path.segments.len() == 1);
    if let Some(known) = only.and_then(|path| slip(&path.segments.first()?.ident)) {
        // it may be the user's after all: rustc decides, and if not says "a local variable with a similar name exists"
        let known = Ident::new(known, at);
        return quote_spanned!(at=> ({ #[allow(unused_variables)] let #known = (); #path }));
    }
    match path.path.get_ident() {
        Some(name) => name.to_token_stream(),
        // in its last name's place
        None => parens(path.to_token_stream(), at).to_token_stream(),
    }
}

/// The built-in that a single name may be a slip from.
fn slip(name: &Ident) -> Option<&'static str> {
    let rows = vocabulary::STAGES.iter().chain(vocabulary::SINKS).map(|row| row.name);
    nearest(&name.to_string(), rows.filter(|name| !name.contains("::")))
}

fn setter(name: &Ident, value: TokenStream) -> TokenStream {
    let (at, (_, last)) = (name.span(), ends(&value));
    let value = parens(value, last);
    quote_spanned!(at=> .#name #value)
}

fn given<'c, 'a>(call: &'c Call<'a>, param: &Param) -> Option<&'c Given<'a>> {
    call.given.iter().find(|given| given.param.name == param.name)
}

fn is_true(value: &Expr) -> bool {
    matches!(bare(value), Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. }) if literal.value)
}

/// An argument that is no function.
fn passed(value: TokenStream) -> Passed {
    Passed { value, exclusive: false }
}

/// A built-in being written.
struct Writer<'c, 'a> {
    call: &'c Call<'a>,
    row: &'static Row,
    root: &'c Root,
    at: Span,
    up: Ident,
}

impl Writer<'_, '_> {
    fn stage(&self, nest: &mut Nest) {
        let (at, up) = (self.at, &self.up);
        let handle = self.handle(nest);
        let (mut args, mut exclusive) = (Vec::new(), false);
        for param in self.row.all().filter(|param| matches!(param.is, Is::Needed | Is::Or(_) | Is::Fixed(_))) {
            let passed = match (param.takes, &handle) {
                (Takes::Order, Some(order)) => passed(quote_spanned!(at=> &#order)),
                (Takes::Marker, Some(marker)) => passed(marker.clone()),
                _ => self.arg(param, nest),
            };
            exclusive |= passed.exclusive;
            args.push(passed.value);
        }
        let setters = self.setters();
        if let Lowers::Queue(part) = self.row.lowers {
            let stream = self.guarded(self.private(part, quote!(#up #(, #args)*)), None);
            let name = self.row.name;
            let queue = self.private("queue", quote_spanned!(at=> #stream, #name));
            nest.set(quote!(#queue #setters));
        } else {
            let stream = self.guarded(up.to_token_stream(), handle.as_ref());
            let path = self.path(exclusive && self.row.lowers == Lowers::Twins);
            let args = self.parens(quote!(#stream #(, #args)*));
            nest.set(self.branded(quote!(#path #args #setters)));
        }
    }

    /// The order or marker that the stage is about, evaluated once.
    fn handle(&self, nest: &mut Nest) -> Option<TokenStream> {
        let param = self.row.all().find(|param| matches!(param.takes, Takes::Order | Takes::Marker))?;
        match (given(self.call, param).map(|given| bare(&given.arg.value)), param.is) {
            // of whatever type it is: said once, by the first that has to know
            (Some(value), _) if self.call.guards.contains(&Guard::Saved) => {
                let (first, last) = ends(value);
                let (name, root) = (Ident::new("__handle", first), self.root.at(first));
                let order = parens(quote_spanned!(first=> &#value), last);
                nest.bind(&name, quote_spanned!(first=> #root::__private::an_order #order));
                Some(quote_spanned!(first=> *#name))
            }
            (Some(value), _) if name_of(value).is_some() => Some(value.to_token_stream()),
            (Some(value), _) => {
                let name = Ident::new("__handle", ends(value).0);
                let by_ref = (param.takes == Takes::Order).then(|| quote!(ref));
                nest.bind(quote!(#by_ref #name), apart(value));
                let deref = by_ref.is_some().then(|| quote!(*));
                Some(quote!(#deref #name))
            }
            (None, Is::Or(path)) => Some(self.runtime(path, self.at)),
            (None, _) => None,
        }
    }

    /// The stream through the runtime's checks, each a call at one token of the user's that gives the stream back.
    fn guarded(&self, stream: TokenStream, handle: Option<&TokenStream>) -> TokenStream {
        let at = self.at;
        self.call.guards.iter().fold(stream, |stream, guard| match guard {
            Guard::SendItems => self.private("send_items", stream),
            Guard::Pullable => self.private("pullable", stream),
            Guard::Sendable => self.private("sendable", stream),
            Guard::Unordered => self.private("unordered", stream),
            Guard::Unmarked => self.private("unmarked", stream),
            Guard::Flattens => self.private("nested", stream),
            Guard::Saved => self.private("saved", quote_spanned!(at=> &#handle, #stream)),
            Guard::Inserted => self.private("inserted", quote_spanned!(at=> #handle, #stream)),
        })
    }

    fn arg(&self, param: &Param, nest: &mut Nest) -> Passed {
        let given = given(self.call, param);
        let value = given.map(|given| bare(&given.arg.value));
        let puller = if self.row.pulls == Pulls::Many { Puller::Many } else { self.call.puller };
        let site = Site { root: self.root, up: &self.up, puller };
        passed(match (param.is, param.takes, value) {
            (Is::Fixed(number), ..) => self.number(number),
            (_, Takes::Function(function), Some(value)) => return site.function(value, function, nest),
            (_, Takes::Pointer(pointer), Some(value)) => site.pointer(value, pointer, nest),
            (_, Takes::Context, Some(value)) => site.context(value, nest),
            (_, Takes::Message, Some(value)) => {
                let (first, last) = ends(value);
                let (root, up, name) = (self.root.at(first), &self.up, Ident::new("__message", first));
                let value = match value {
                    Expr::Closure(_) => site.message(value, nest),
                    value => value.to_token_stream(),
                };
                let args = parens(quote_spanned!(first=> #root::__private::item(&#up), #value), last);
                nest.bind(&name, quote_spanned!(first=> #root::__private::says #args));
                name.to_token_stream()
            }
            (_, Takes::Upstream, Some(value)) if given.is_some_and(|given| given.track) => self.track(value),
            (_, Takes::Upstream, Some(value)) => self.other(value, nest),
            (_, Takes::Checked(check), Some(value)) => {
                self.checked(check, ends(value).0, value, value.to_token_stream())
            }
            (_, _, Some(value)) => value.to_token_stream(),
            (_, _, None) => TokenStream::new(),
        })
    }

    fn track(&self, value: &Expr) -> TokenStream {
        let Some(name) = name_of(value) else {
            return value.to_token_stream();
        };
        let (at, root, track) = (name.span(), self.root.at(name.span()), track(name, self.root));
        quote_spanned!(at=> #root::Pipeline::new(#track))
    }

    /// The other stream of `zip` and `chain`, checked.
    fn other(&self, value: &Expr, nest: &mut Nest) -> TokenStream {
        let (first, last) = ends(value);
        let (root, up) = (self.root.at(first), &self.up);
        if self.row.name != "chain" {
            let args = parens(value.to_token_stream(), last);
            return quote_spanned!(first=> #root::__private::zips #args);
        }
        // before the stream is moved
        let name = Ident::new("__other", first);
        let args = parens(quote_spanned!(first=> #root::__private::item(&#up), #value), last);
        nest.bind(&name, quote_spanned!(first=> #root::__private::chains #args));
        name.to_token_stream()
    }

    fn setters(&self) -> TokenStream {
        let options =
            self.call.given.iter().filter(|given| !matches!(given.param.is, Is::Needed | Is::Or(_) | Is::Around(_)));
        options.filter_map(|given| self.setter(given)).chain(self.names()).collect()
    }

    /// What a picture of the pipeline calls the stage, where its type doesn't tell.
    fn names(&self) -> impl Iterator<Item = TokenStream> {
        let set = |name, value: Option<String>| {
            value.map(|value| setter(&Ident::new(name, self.at), Literal::string(&value).to_token_stream()))
        };
        let called = self.call.stage.bind.as_ref().filter(|_| self.row.handle == Handle::Live);
        let function = self
            .call
            .given
            .iter()
            .find(|given| matches!(given.param.takes, Takes::Pointer(pointer) if pointer != Pointer::Init));
        let function = function.and_then(|given| match bare(&given.arg.value) {
            Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        });
        [set("called", called.map(Ident::to_string)), set("function", function)].into_iter().flatten()
    }

    fn setter(&self, given: &Given) -> Option<TokenStream> {
        let value = bare(&given.arg.value);
        let written = given.arg.name.clone().unwrap_or_else(|| Ident::new(given.param.name, self.at));
        if let (Is::Switch(other), Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. })) = (given.param.is, value) {
            return literal.value.then(|| setter(&Ident::new(other, written.span()), TokenStream::new()));
        }
        let value = match (&given.word, given.param.takes) {
            (Some(word), _) => self.word(word),
            (None, Takes::Sampler) => self.checked("a_sampler", written.span(), value, self.sampler(&given.arg.value)),
            (None, Takes::Mode(_)) => self.checked("a_mode", written.span(), value, value.to_token_stream()),
            (None, _) => value.to_token_stream(),
        };
        let name = if let Is::By(other) = given.param.is { Ident::new(other, written.span()) } else { written };
        Some(setter(&name, value))
    }

    /// `::tinypl::process::OnDeath::Retry(3)` for `retry(3)`
    fn word(&self, word: &Word) -> TokenStream {
        let Lowers::Word(path) = word.row.lowers else { return TokenStream::new() };
        let path = self.runtime(path, word.stage.at());
        if word.row.given().next().is_none() {
            return path;
        }
        let needed = word.row.params.iter().filter(|param| param.is == Is::Needed);
        let needed = needed.filter_map(|param| word.given.iter().find(|given| given.param == param));
        let needed = needed.map(|given| bare(&given.arg.value));
        let args = parens(quote!(#(#needed),*), word.stage.parens.unwrap_or(word.stage.at()));
        let options = word.given.iter().filter(|given| given.param.is != Is::Needed);
        let setters: TokenStream = options.filter_map(|given| self.setter(given)).collect();
        quote!(#path #args #setters)
    }

    /// `::tinypl::dataloader::sampler::shuffle(1)` for `sampler::shuffle(1)`; what is in parentheses is Rust.
    fn sampler(&self, value: &Expr) -> TokenStream {
        if let Expr::Group(group) = value {
            return self.sampler(&group.expr);
        }
        let mut tokens = value.to_token_stream().into_iter();
        let is_ours = is_word(tokens.next().as_ref(), "sampler") && is_punct(tokens.next().as_ref(), ':');
        let space = is_ours.then(|| {
            let first = ends(value).0;
            let space = self.runtime("dataloader", first);
            quote_spanned!(first=> #space::)
        });
        let value = bare(value);
        quote!(#space #value)
    }

    /// `::tinypl::__private::name(tokens)`, from `at` to the end of the value.
    fn checked(&self, name: &str, at: Span, value: &Expr, tokens: TokenStream) -> TokenStream {
        let (root, name, args) = (self.root.at(at), Ident::new(name, at), parens(tokens, ends(value).1));
        quote_spanned!(at=> #root::__private::#name #args)
    }

    /// `::tinypl::path` by the user's own tokens, so that hover and completion work; or its twin for an `FnMut`.
    fn path(&self, twin: bool) -> TokenStream {
        let first = ends(&self.call.stage.path).0;
        let (root, mut path) = (self.root.at(first), self.call.stage.path.clone());
        if twin && let Some(last) = path.path.segments.last_mut() {
            last.ident = Ident::new(&format!("{}_mut", last.ident), last.ident.span());
        }
        let private = self.row.checked.then(|| quote_spanned!(first=> __private::));
        quote_spanned!(first=> #root::#private #path)
    }

    /// A path of the vocabulary's, in the runtime.
    fn runtime(&self, path: &str, at: Span) -> TokenStream {
        let (root, names) = (self.root.at(at), path.split("::").map(|name| Ident::new(name, at)));
        quote_spanned!(at=> #root #(::#names)*)
    }

    fn number(&self, number: usize) -> TokenStream {
        let mut literal = Literal::usize_unsuffixed(number);
        literal.set_span(self.at);
        TokenTree::from(literal).into()
    }

    fn private(&self, name: &str, args: TokenStream) -> TokenStream {
        self.private_at(self.at, name, args)
    }

    fn private_at(&self, at: Span, name: &str, args: TokenStream) -> TokenStream {
        let (root, name) = (self.root.at(at), Ident::new(name, at));
        quote_spanned!(at=> #root::__private::#name(#args))
    }

    /// Of the first of these options that is given; else of the call. Names there are those of the call: the option may have come
    /// from elsewhere, through another macro.
    fn place_of(&self, options: &[&str]) -> Span {
        let mut given =
            options.iter().filter_map(|name| self.call.given.iter().find(|given| given.param.name == *name));
        given.next().map_or(self.at, |given| ends(&given.arg.value).0.resolved_at(self.at))
    }

    fn parens(&self, args: TokenStream) -> TokenStream {
        parens(args, self.call.stage.parens.unwrap_or(self.at)).to_token_stream()
    }

    /// What `nest` has, through the functions that options stand for.
    fn around(&self, nest: &mut Nest) -> TokenStream {
        for given in &self.call.given {
            if let (Is::Around(name), true) = (given.param.is, is_true(&given.arg.value)) {
                nest.name(&self.up);
                let at = ends(&given.arg.value).0;
                nest.set(self.checked(name, at, &given.arg.value, self.up.to_token_stream()));
            }
        }
        nest.take()
    }

    /// Gives an order or a marker a type of its own, called like it, so that rustc's messages name it.
    fn branded(&self, call: TokenStream) -> TokenStream {
        let with = match self.row.handle {
            Handle::Order => "order_branded",
            Handle::Marker => "marker_branded",
            Handle::EpochMarker => "loader_branded",
            Handle::No | Handle::Live => return call,
        };
        let Some(name) = &self.call.stage.bind else { return call };
        let mut brand = name.clone();
        brand.set_span(Span::mixed_site().located_at(name.span()));
        let (with, root) = (Ident::new(with, name.span()), self.root.at(name.span()));
        quote!(({ #[allow(non_camel_case_types)] struct #brand; #root::__private::#with::<#brand, _> })(#call))
    }
}
