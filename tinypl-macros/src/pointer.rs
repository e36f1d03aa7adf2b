//! Functions for worker processes, which capture nothing.
//!
//! `match item_pointer(item(&up)) { mut f => match (f = |x| …) { () => process::map(up, f) } }`: assigned to a variable of a
//! function pointer's type, a closure is told its signature, and refused in few words if it captures. Then come the
//! runtime's checks of what travels, which give back what they are given.

use crate::ast::ends;
use crate::expand::{Nest, apart, parens};
use crate::function::Site;
use crate::vocabulary::Pointer;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

impl Site<'_> {
    /// The value that a later function takes a reference to.
    pub(crate) fn context(&self, value: &Expr, nest: &mut Nest) -> TokenStream {
        let name = self.name("__context");
        nest.bind(&name, apart(value));
        name.to_token_stream()
    }

    pub(crate) fn pointer(&self, value: &Expr, pointer: Pointer, nest: &mut Nest) -> TokenStream {
        let (up, at) = (self.up, self.up.span());
        let (f, context, init) = (self.name("__f"), self.name("__context"), self.name("__init"));
        let both = |first: &Ident| quote_spanned!(at=> #first, #f);
        let (first, last) = ends(value);
        let item = self.private("item", quote_spanned!(first=> &#up), first, last);
        let assign = |f: &Ident, slot, args, nest: &mut Nest| {
            nest.bind(quote_spanned!(at=> mut #f), self.private(slot, args, first, last));
            let equals = quote_spanned!(first=> =);
            let ours = Span::mixed_site();
            nest.bind(quote!(()), quote_spanned!(ours=> (#f #equals #value)));
        };
        let pass = |check, first: &Ident, nest: &mut Nest| {
            nest.bind(parens(both(first), at), self.private(check, both(first), at, at));
        };
        let result = |check| self.private(check, f.to_token_stream(), at, at);
        match pointer {
            Pointer::Item => {
                assign(&f, "item_pointer", item, nest);
                pass("serial_items", up, nest);
                result("item_result")
            }
            Pointer::Ref => {
                assign(&f, "ref_pointer", item, nest);
                pass("returned_items", up, nest);
                f.to_token_stream()
            }
            Pointer::Context => {
                assign(&f, "context_pointer", quote_spanned!(first=> &#context, #item), nest);
                pass("serial_context", &context, nest);
                pass("serial_items", up, nest);
                result("context_result")
            }
            Pointer::State => {
                assign(&f, "state_pointer", quote_spanned!(first=> &#init, #item), nest);
                pass("serial_items", up, nest);
                result("state_result")
            }
            Pointer::Init => {
                assign(&init, "init_pointer", TokenStream::new(), nest);
                init.to_token_stream()
            }
        }
    }

    /// A name that several arguments know.
    fn name(&self, name: &str) -> Ident {
        Ident::new(name, self.up.span())
    }

    fn private(&self, name: &str, args: TokenStream, first: Span, last: Span) -> TokenStream {
        let (root, name, args) = (self.root.at(first), Ident::new(name, first), parens(args, last));
        quote_spanned!(first=> #root::__private::#name #args)
    }
}
