//! The tree of a block. Every node keeps the user's tokens, so that what is found wrong later can still point at them.

use proc_macro2::{Ident, Punct, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Error, Expr, ExprPath, Token, spanned::Spanned};

/// `let a = …; let b = …; source |> stage`
pub(crate) struct Block {
    pub(crate) root: Root,
    pub(crate) tracks: Vec<Track>,
    pub(crate) closing: Option<Chain>,
    /// Mistakes that belong to no chain.
    pub(crate) errors: Vec<Error>,
}

/// `let mut name = chain;`
pub(crate) struct Track {
    /// `#[…]`, for each of its `let`s.
    pub(crate) attributes: TokenStream,
    /// The `let`.
    pub(crate) start: Span,
    pub(crate) mutable: Option<Token![mut]>,
    pub(crate) name: Ident,
    pub(crate) chain: Chain,
}

/// `source |> stage |> stage`
pub(crate) struct Chain {
    /// `None` only where `errors` says why.
    pub(crate) source: Option<Source>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) errors: Vec<Error>,
    /// Handles of stages that did not parse: the block declares them all the same.
    pub(crate) lost: Vec<Ident>,
}

pub(crate) enum Source {
    BuiltIn(Stage),
    Value(Expr),
}

/// `bind @ path(args)`; a built-in source looks the same.
pub(crate) struct Stage {
    pub(crate) bind: Option<Ident>,
    pub(crate) path: ExprPath,
    /// Where the arguments' parentheses are, if there are any.
    pub(crate) parens: Option<Span>,
    pub(crate) args: Vec<Arg>,
}

/// `value` or `name = value`
pub(crate) struct Arg {
    pub(crate) name: Option<Ident>,
    pub(crate) value: Expr,
    /// The value as a word, with arguments or without, where it looks like one: `retry(3)`, `exit`.
    pub(crate) word: Option<Stage>,
}

/// The path by which the expansion reaches the runtime.
pub(crate) enum Root {
    /// `::tinypl`
    Usual,
    /// What the block's first piece, `crate = path;`, says.
    Given(TokenStream),
}

impl Chain {
    /// The names that this chain binds by `@`, each once.
    pub(crate) fn binds(&self) -> Vec<&Ident> {
        let source = match &self.source {
            Some(Source::BuiltIn(stage)) => stage.bind.as_ref(),
            _ => None,
        };
        let stages = self.stages.iter().filter_map(|stage| stage.bind.as_ref());
        let mut names: Vec<&Ident> = Vec::new();
        for name in source.into_iter().chain(stages).chain(&self.lost) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl Source {
    /// The name, where the source may be an earlier track's.
    pub(crate) fn name(&self) -> Option<&Ident> {
        match self {
            Source::BuiltIn(_) => None,
            Source::Value(value) => name_of(value),
        }
    }
}

impl Stage {
    /// The path as text, by which the vocabulary knows it; empty if no built-in can be meant.
    pub(crate) fn name(&self) -> String {
        if self.path.qself.is_some() {
            return String::new();
        }
        let names: Vec<String> = self.path.path.segments.iter().map(|s| s.ident.to_string()).collect();
        match self.path.path.leading_colon {
            Some(_) => String::new(),
            None => names.join("::"),
        }
    }

    /// Where its own name stands: `queue` in `thread::queue(4)`.
    pub(crate) fn at(&self) -> Span {
        let last = self.path.path.segments.last();
        last.map_or_else(|| self.path.span(), |segment| segment.ident.span())
    }
}

impl Root {
    /// The path with every token at the place `at`.
    ///
    /// A given path is still resolved where it was written, so its syntax context may not be that of `at`. The usual
    /// one's is. That matters: where a call's tokens are of two contexts, rustc underlines the whole `pipeline!`.
    pub(crate) fn at(&self, at: Span) -> TokenStream {
        let place = |mut token: TokenTree| {
            token.set_span(token.span().located_at(at));
            token
        };
        match self {
            Root::Usual => quote_spanned!(at=> ::tinypl),
            Root::Given(path) => path.clone().into_iter().map(place).collect(),
        }
    }
}

/// The name that `value` consists of, also where a `macro_rules!` passed it along.
pub(crate) fn name_of(value: &Expr) -> Option<&Ident> {
    match value {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => path.path.get_ident(),
        Expr::Group(group) => name_of(&group.expr),
        _ => None,
    }
}

/// An argument without what encloses all of it: parentheses, which rustc would find superfluous in a call, and the
/// invisible delimiters of a `macro_rules!`, behind which a closure would not be seen.
pub(crate) fn bare(value: &Expr) -> &Expr {
    match value {
        Expr::Paren(paren) if paren.attrs.is_empty() => bare(&paren.expr),
        Expr::Group(group) if group.attrs.is_empty() => bare(&group.expr),
        _ => value,
    }
}

/// The spans of the first and of the last token: a call whose own tokens have them spans all that lies between.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(Span::call_site, |token| token.span());
    (first, tokens.last().map_or(first, |token| token.span()))
}

pub(crate) fn is_punct(token: Option<&TokenTree>, what: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if Punct::as_char(punct) == what)
}

pub(crate) fn is_word(token: Option<&TokenTree>, what: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(name)) if name == what)
}
