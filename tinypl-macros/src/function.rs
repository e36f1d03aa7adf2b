//! Functions as arguments. A closure needs its signature from the stream above, and its kind, `Fn` or `FnMut`, from
//! who pulls the stage.
//!
//! From a bound like `F: FnMut(Item) -> R` rustc takes both at once: where one thread at a time pulls, that is right
//! and cheapest, `map_mut(up, |x| …)`. A closure that is `Fn` by its looks is passed to `map` as simply. For the others
//! the kind has to be left to the body, where a queue may follow in another block, and where one follows in this, so
//! that it is the runtime's check that refuses a closure, and says what to do. The runtime's `hint` and `by_val` give
//! rustc the signature alone.

use crate::ast::{Root, ends};
use crate::check::Puller;
use crate::expand::{Nest, apart, parens};
use crate::plain;
use crate::vocabulary::{Function, Out};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, Pat, Type};

/// The stage that a function is for.
pub(crate) struct Site<'a> {
    pub(crate) root: &'a Root,
    /// The name of the stream above it.
    pub(crate) up: &'a Ident,
    /// Who calls the function.
    pub(crate) puller: Puller,
}

/// An argument.
pub(crate) struct Passed {
    pub(crate) value: TokenStream,
    /// It is a function for the twin that takes an `FnMut`.
    pub(crate) exclusive: bool,
}

impl Site<'_> {
    pub(crate) fn function(&self, value: &Expr, function: Function, nest: &mut Nest) -> Passed {
        let as_it_is = |exclusive| Passed { value: value.to_token_stream(), exclusive };
        let (by, out) = match function {
            Function::Call => return self.call(value, nest),
            Function::Item(out) => ("val", out),
            Function::Ref(out) => ("ref", out),
        };
        let bound_tells = is_untyped(value) && !is_half_typed(value);
        match self.puller {
            Puller::One if bound_tells => as_it_is(true),
            Puller::Open | Puller::Many if bound_tells && is_plain(value) => as_it_is(false),
            puller => Passed {
                value: Dance::new(value, by, out, self).write(puller, nest),
                exclusive: puller != Puller::Many,
            },
        }
    }

    /// A closure of a reference to the item, for a stage that has no bound to tell rustc so.
    pub(crate) fn message(&self, value: &Expr, nest: &mut Nest) -> TokenStream {
        let function = Dance::new(value, "ref", Out::Any, self).write(self.puller, nest);
        if self.puller == Puller::Many || is_plain(value) {
            return function;
        }
        let (first, last) = ends(value);
        let (root, args) = (self.root.at(first), parens(function, last));
        quote_spanned!(first=> #root::__private::exclusive #args)
    }

    /// A function without arguments. There is nothing to hint: a variable is enough to leave the kind open.
    fn call(&self, value: &Expr, nest: &mut Nest) -> Passed {
        if self.puller == Puller::One || is_plain(value) {
            return Passed { value: value.to_token_stream(), exclusive: self.puller == Puller::One };
        }
        let (first, last) = ends(value);
        let name = Ident::new("__f", first);
        nest.bind(&name, apart(value));
        if self.puller == Puller::Open {
            return Passed { value: name.to_token_stream(), exclusive: true };
        }
        let (root, args) = (self.root.at(first), parens(name.to_token_stream(), last));
        let value = quote_spanned!(first=> #root::__private::concurrent_call #args);
        Passed { value, exclusive: false }
    }
}

/// Whether rustc has to be told the arguments' types.
fn is_untyped(value: &Expr) -> bool {
    match value {
        Expr::Closure(closure) => {
            closure.inputs.iter().any(|input| !matches!(input, Pat::Type(_))) || is_half_typed(value)
        }
        // whose value may be such a closure
        Expr::Block(_) | Expr::If(_) | Expr::Match(_) => true,
        _ => false,
    }
}

/// Whether an argument's type has holes: what the bound puts there may not fit what is written around them.
fn is_half_typed(value: &Expr) -> bool {
    let has_holes = |input: &Pat| matches!(input, Pat::Type(typed) if has_hole(&typed.ty));
    matches!(value, Expr::Closure(closure) if closure.inputs.iter().any(has_holes))
}

/// Whether the closure is `Fn` and several threads can call it, as far as its text tells.
fn is_plain(value: &Expr) -> bool {
    matches!(value, Expr::Closure(closure) if plain::is_plain(closure))
}

fn has_hole(ty: &Type) -> bool {
    ty.to_token_stream().to_string().contains('_')
}

/// The steps that leave a closure's kind open and check that a function fits; every token has the function's place.
struct Dance<'a> {
    value: &'a Expr,
    by: &'static str,
    out: Out,
    root: TokenStream,
    up: &'a Ident,
    first: Span,
    last: Span,
}

impl<'a> Dance<'a> {
    fn new(value: &'a Expr, by: &'static str, out: Out, site: &Site<'a>) -> Self {
        let (first, last) = ends(value);
        Dance { value, by, out, root: site.root.at(first), up: site.up, first, last }
    }

    fn write(&self, puller: Puller, nest: &mut Nest) -> TokenStream {
        let (first, f) = (self.first, Ident::new("__f", self.first));
        let mut function = f.to_token_stream();
        if is_untyped(self.value) {
            let fits = Ident::new("__fits", first);
            nest.bind(quote_spanned!(first=> mut #f), quote_spanned!(first=> ::core::option::Option::None));
            nest.bind(&fits, self.hinted(&f));
            function = quote_spanned!(first=> #fits.of(#f));
        } else {
            let out = self.returned();
            let generics = quote_spanned!(first=> ::<_, _, #out, _>);
            nest.bind(&f, self.call("takes", generics, self.value.to_token_stream()));
        }
        if puller == Puller::Many && !is_plain(self.value) {
            nest.bind(&f, self.call("concurrent", TokenStream::new(), function));
            function = f.to_token_stream();
        }
        function
    }

    fn returned(&self) -> TokenStream {
        let first = self.first;
        match self.out {
            Out::Any => quote_spanned!(first=> _),
            Out::Unit => quote_spanned!(first=> ()),
            Out::Bool => quote_spanned!(first=> ::core::primitive::bool),
            Out::Option => quote_spanned!(first=> ::core::option::Option<_>),
            Out::Result => quote_spanned!(first=> ::core::result::Result<_, _>),
        }
    }

    /// `by_val(item(&up), hint(|x| …, &mut f))`
    fn hinted(&self, f: &Ident) -> TokenStream {
        let (first, root, out, value) = (self.first, &self.root, self.returned(), self.value);
        let args = parens(quote_spanned!(first=> #value, &mut #f), self.last);
        self.call("by", quote_spanned!(first=> ::<_, #out, _>), quote_spanned!(first=> #root::__private::hint #args))
    }

    /// `name_val::<generics>(item(&up), value)`
    fn call(&self, name: &str, generics: TokenStream, value: TokenStream) -> TokenStream {
        let (first, root, up) = (self.first, &self.root, self.up);
        let name = Ident::new(&format!("{name}_{}", self.by), first);
        let args = parens(quote_spanned!(first=> #root::__private::item(&#up), #value), self.last);
        quote_spanned!(first=> #root::__private::#name #generics #args)
    }
}
