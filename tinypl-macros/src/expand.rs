//! Tree to tokens.
//!
//! `source |> a(x) |> o @ b(y, k = z)` becomes
//! `match source { s => match ::tinypl::a(s, x) { s => match ::tinypl::b(s, y).k(z) { s => … } } }`.
//! `match`, not `let`: temporaries live as long as in a chain of method calls. In a block of tracks what stands before
//! a handle is a `let`, since the handle's name has to be seen outside.

use crate::ast::{Block, Root, Track, bare, ends};
use crate::call;
use crate::check::{Checked, Origin, Puller, Sound, Verdict};
use crate::fallback;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

pub(crate) fn block(block: &Block, checked: &Checked) -> TokenStream {
    let tracks = block.tracks.iter().zip(&checked.tracks);
    let tracks: TokenStream = tracks.map(|(written, verdict)| track(written, verdict, &block.root)).collect();
    let errors = fallback::statements(&block.errors);
    match &checked.closing {
        Some(verdict) => {
            let value = closing(verdict, &block.root);
            if block.tracks.is_empty() && block.errors.is_empty() { value } else { quote!({ #errors #tracks #value }) }
        }
        None if block.tracks.is_empty() => match crate::check::combine(block.errors.iter().cloned()) {
            Some(error) => fallback::expression(&error),
            None => quote!(()),
        },
        None => {
            let guard = statements_only(block);
            quote!(#guard #errors #tracks)
        }
    }
}

/// An item, which where an expression is expected rustc can't parse, so it stops right there with one short error. Of
/// a `let` it would complain twice, and of each use of the value. The item's name is all that we can say.
fn statements_only(block: &Block) -> TokenStream {
    let at = block.tracks.first().map_or_else(Span::call_site, |track| track.start);
    let name = Ident::new("tracks_are_statements_not_an_expression", at);
    quote_spanned!(Span::mixed_site()=> #[allow(unused_macros)] macro_rules! #name { () => {} })
}

fn closing(verdict: &Verdict, root: &Root) -> TokenStream {
    match verdict {
        Verdict::Sound(sound) => {
            let mut nest = Nest::default();
            sound.write(root, &mut nest, None);
            nest.close()
        }
        Verdict::Follows(failed) => failed.to_token_stream(),
        Verdict::Failed(error) => fallback::expression(error),
    }
}

fn track(track: &Track, verdict: &Verdict, root: &Root) -> TokenStream {
    match verdict {
        Verdict::Sound(sound) => {
            let Track { attributes, mutable, name, .. } = track;
            let (mut nest, mut lets) = (Nest::default(), Lets { attributes, written: TokenStream::new() });
            sound.write(root, &mut nest, Some((name, &mut lets)));
            let (value, lets) = (nest.close(), lets.written);
            quote!(#lets #attributes let #mutable #name = #value;)
        }
        Verdict::Follows(failed) => fallback::follower(track, failed),
        Verdict::Failed(error) => fallback::track(track, error),
    }
}

/// What stands before a track, because it declares a handle.
struct Lets<'a> {
    attributes: &'a TokenStream,
    written: TokenStream,
}

/// `match a { x => match b { y => value } }`, being written from the outside in.
#[derive(Default)]
pub(crate) struct Nest {
    bound: Vec<(TokenStream, TokenStream)>,
    value: TokenStream,
    /// The value is the name that was bound last.
    is_named: bool,
}

impl Nest {
    /// The innermost value.
    pub(crate) fn set(&mut self, value: TokenStream) {
        self.value = value;
        self.is_named = false;
    }

    /// The value so far, for another one to be made of it.
    pub(crate) fn take(&mut self) -> TokenStream {
        std::mem::take(&mut self.value)
    }

    /// Binds the value so far to a name, by which the next one can use it.
    pub(crate) fn name(&mut self, name: &Ident) {
        if !std::mem::replace(&mut self.is_named, true) {
            let value = std::mem::replace(&mut self.value, name.to_token_stream());
            self.bind(name, value);
        }
    }

    pub(crate) fn bind(&mut self, pattern: impl ToTokens, value: TokenStream) {
        self.bound.push((pattern.to_token_stream(), value));
    }

    /// All of it as one expression.
    fn close(&mut self) -> TokenStream {
        let value = std::mem::take(&mut self.value);
        let bound = std::mem::take(&mut self.bound);
        // the macro's own span, so that no lint takes the `match` for the user's
        let ours = Span::mixed_site();
        bound
            .into_iter()
            .rev()
            .fold(value, |inner, (pattern, value)| quote_spanned!(ours=> match #value { #pattern => #inner }))
    }

    /// Binds the handle of the stage so far, whose stream the next stage knows as `up`.
    fn handle(&mut self, name: &Ident, up: Ident, lets: Option<&mut Lets>) {
        match lets {
            Some(lets) => {
                let (value, stage) = (self.close(), Ident::new("stage", Span::mixed_site()));
                let attributes = lets.attributes;
                let handle = quote_spanned!(name.span()=> #stage.handle());
                lets.written.extend(quote! {
                    #[allow(unused_mut)] let mut #stage = #value;
                    #attributes let #name = #handle;
                });
                self.set(stage.to_token_stream());
            }
            None => {
                let value = std::mem::replace(&mut self.value, up.to_token_stream());
                self.bind(quote!(#[allow(unused_mut)] mut #up), value);
                self.bind(name, quote_spanned!(name.span()=> #up.handle()));
                self.is_named = true;
            }
        }
    }
}

/// The stream so far, for the stage at `at`. Not a hygienic name but a reserved one with the user's span: rustc
/// replaces an argument whose span is of another syntax context than its call's by the whole `pipeline! { … }`.
pub(crate) fn upstream(at: Span) -> Ident {
    Ident::new("__tinypl", at)
}

/// `(args)`, all at one place.
pub(crate) fn parens(args: TokenStream, at: Span) -> Group {
    let mut group = Group::new(Delimiter::Parenthesis, args);
    group.set_span(at);
    group
}

/// A value of the user's where a `{` follows, which its last part may not take for its own.
pub(crate) fn apart(value: &Expr) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> (#value))
}

impl Sound<'_> {
    /// A track has a name, and its handles are declared outside.
    fn write(&self, root: &Root, nest: &mut Nest, track: Option<(&Ident, &mut Lets)>) {
        let (name, mut lets) = track.unzip();
        let mut stages = self.stages.iter().peekable();
        let mut at = match &self.source {
            Origin::BuiltIn(call) => {
                call::source(call, root, nest);
                if let Some(name) = call.bound() {
                    let below = stages.peek().map_or(call.stage.at(), |next| next.stage.at());
                    nest.handle(name, upstream(below), lets.as_deref_mut());
                }
                call.stage.at()
            }
            Origin::Track(name) => {
                nest.set(call::track(name, root));
                name.span()
            }
            Origin::Value(value, puller) => {
                nest.set(open(value, *puller, root));
                ends(value).0
            }
        };
        while let Some(call) = stages.next() {
            at = call.stage.at();
            call::stage(call, root, nest);
            if let Some(name) = call.bound() {
                let below = stages.peek().map_or(at, |next| next.stage.at());
                nest.handle(name, upstream(below), lets.as_deref_mut());
            }
        }
        let (root, stream) = (root.at(at), std::mem::take(&mut nest.value));
        let mut value = if self.shared {
            let name = name.map(Ident::to_string).unwrap_or_default();
            quote_spanned!(at=> #root::Pipeline::new(#root::__private::shared(#stream, #name)))
        } else {
            quote_spanned!(at=> #root::Pipeline::new(#stream))
        };
        if let Some(sink) = &self.sink {
            value = call::sink(sink, &value);
        }
        nest.set(value);
    }
}

/// A source of which only rustc knows what it is.
fn open(value: &Expr, puller: Puller, root: &Root) -> TokenStream {
    let (first, last) = ends(value);
    let (root, value) = (root.at(first), bare(value));
    let new = quote_spanned!(first=> #root::__private::Src::new);
    let mut source = parens(value.to_token_stream(), last);
    if puller == Puller::Many {
        source = parens(quote_spanned!(first=> #new #source.widen()), last);
    }
    let found = parens(quote_spanned!(first=> #new #source.find()), last);
    quote_spanned!(first=> #root::__private::open #found)
}
