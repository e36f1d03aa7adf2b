//! The macro of [tinypl](https://docs.rs/tinypl): use it as `tinypl::pipeline!`.
//!
//! Tokens become a tree (`ast`, `parse`), which is checked (`check`, with `bind` for the arguments and `flow` for orders
//! and markers) against the table of built-in stages (`vocabulary`) and written out (`expand`, `call`, `function`);
//! what has a mistake is replaced by its error (`fallback`).

#![forbid(unsafe_code)]

mod ast;
mod bind;
mod call;
mod check;
mod expand;
mod fallback;
mod flow;
mod function;
mod names;
mod parse;
mod plain;
#[cfg(test)]
mod tests;
mod vocabulary;

/// Builds a pipeline.
#[proc_macro]
pub fn pipeline(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    block(input.into()).into()
}

fn block(input: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let block = parse::block(input);
    expand::block(&block, &check::block(&block))
}
