//! After a mistake: the error, and names and values of the error type in the place of what is missing. rustc says
//! nothing of what uses those, so one mistake gives one error.

use crate::ast::Track;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Error;

/// An expression that reports `error`, which may be several.
pub(crate) fn expression(error: &Error) -> TokenStream {
    let mut all: Vec<TokenStream> = error.into_iter().map(|error| error.to_compile_error()).collect();
    match all.pop() {
        Some(last) if all.is_empty() => last,
        last => quote!({ #(#all;)* #last }),
    }
}

/// Statements that report `errors`.
pub(crate) fn statements(errors: &[Error]) -> TokenStream {
    let errors = errors.iter().map(Error::to_compile_error);
    quote!(#(#errors;)*)
}

/// Declares a track that failed and the handles of its stages all the same.
pub(crate) fn track(track: &Track, error: &Error) -> TokenStream {
    let Track { attributes, mutable, name, .. } = track;
    let (binds, error) = (binds(track), expression(error));
    quote!(#attributes let (#mutable #name, #(#binds,)*) = #error;)
}

/// Declares a track that pulls from a failed one. A pattern would tell rustc that `failed` is a tuple after all.
pub(crate) fn follower(track: &Track, failed: &Ident) -> TokenStream {
    let Track { mutable, name, .. } = track;
    let binds = binds(track);
    quote!(#(let #binds = #failed.handle();)* let #mutable #name = #failed;)
}

fn binds(track: &Track) -> Vec<&Ident> {
    track.chain.binds().into_iter().filter(|bind| **bind != track.name).collect()
}
