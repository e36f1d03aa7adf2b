//! Tokens to tree. `;` and `|>` are split at top level first and syn parses the pieces, so a mistake in one piece
//! leaves the others intact.

use crate::ast::{Arg, Block, Chain, Root, Source, Stage, Track, is_punct, is_word};
use crate::vocabulary;
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Expr, ExprPath, Path, Result, Token, parse2, token};

type Tokens = Vec<TokenTree>;

/// What stands between two `;`.
struct Piece {
    tokens: Tokens,
    /// The `;`, or where one is missing.
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    Semicolon(Span),
    Missing(Span),
    Input,
}

pub(crate) fn block(input: TokenStream) -> Block {
    let mut pieces = pieces(input);
    let mut errors = Vec::new();
    let root = root(&mut pieces, &mut errors);
    let mut block = Block { root, tracks: Vec::new(), closing: None, errors };
    for piece in pieces {
        let attributes = attributes(&piece.tokens);
        if is_word(piece.tokens.get(attributes), "let") {
            track(piece, attributes, &mut block);
        } else if let (Some(first), end) = (piece.tokens.first(), piece.end) {
            let start = first.span();
            let chain = chain(piece.tokens, start);
            match end {
                End::Semicolon(at) => block.errors.push(unnamed(chain, at)),
                End::Missing(at) => block.errors.push(Error::new(at, "missing `;` before this `let`")),
                End::Input => block.closing = Some(chain),
            }
        }
    }
    if block.tracks.is_empty() && block.closing.is_none() && block.errors.is_empty() {
        let text = "empty pipeline: write `source |> stage(…)`, or tracks: `let NAME = source |> …;`";
        block.errors.push(Error::new(Span::call_site(), text));
    }
    block
}

/// Splits at `;`, and before a `let` that no `;` precedes.
fn pieces(input: TokenStream) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut tokens: Tokens = Vec::new();
    for token in input {
        if is_punct(Some(&token), ';') {
            pieces.push(Piece { tokens: std::mem::take(&mut tokens), end: End::Semicolon(token.span()) });
            continue;
        }
        let starts = tokens.len() == attributes(&tokens);
        if is_word(Some(&token), "let") && !starts && !takes_let(tokens.last()) {
            pieces.push(Piece { tokens: std::mem::take(&mut tokens), end: End::Missing(token.span()) });
        }
        tokens.push(token);
    }
    pieces.push(Piece { tokens, end: End::Input });
    pieces
}

/// How many tokens the attributes before a track have.
fn attributes(tokens: &[TokenTree]) -> usize {
    let pairs = tokens.chunks(2);
    let attributes = pairs.take_while(|pair| match pair {
        [hash, TokenTree::Group(group)] => is_punct(Some(hash), '#') && group.delimiter() == Delimiter::Bracket,
        _ => false,
    });
    2 * attributes.count()
}

/// Whether a `let` after this token is part of a condition: `if let`, `while let`, `&& let`.
fn takes_let(before: Option<&TokenTree>) -> bool {
    is_word(before, "if") || is_word(before, "while") || is_punct(before, '&') || is_punct(before, '|')
}

/// Takes the first piece away if it is `crate = path;`.
fn root(pieces: &mut Vec<Piece>, errors: &mut Vec<Error>) -> Root {
    let Some(first) = pieces.first() else {
        return Root::Usual;
    };
    let ([word, equals, path @ ..], end) = (first.tokens.as_slice(), first.end) else {
        return Root::Usual;
    };
    if !is_word(Some(word), "crate") || !is_punct(Some(equals), '=') {
        return Root::Usual;
    }
    let parsed = Path::parse_mod_style.parse2(path.iter().cloned().collect());
    let root = match (parsed, end) {
        (Ok(path), End::Semicolon(_)) => Root::Given(quote::quote!(#path)),
        (Ok(_), _) => {
            errors.push(Error::new_spanned(word, "missing `;` after `crate = path`"));
            Root::Usual
        }
        (Err(_), _) => {
            errors.push(Error::new_spanned(word, "expected a path to tinypl: `crate = path::to::tinypl;`"));
            Root::Usual
        }
    };
    pieces.remove(0);
    root
}

fn unnamed(chain: Chain, semicolon: Span) -> Error {
    let text = "a chain without a name stands last, without `;`; a track has a name: `let NAME = source |> …;`";
    chain.errors.into_iter().next().unwrap_or_else(|| Error::new(semicolon, text))
}

/// `let mut name = chain`, after so many tokens of attributes.
fn track(piece: Piece, attributes: usize, block: &mut Block) {
    let end = piece.tokens.last().map_or_else(Span::call_site, TokenTree::span);
    let mut tokens = piece.tokens.into_iter();
    let attributes: TokenStream = tokens.by_ref().take(attributes).collect();
    if let Err(error) = Attribute::parse_outer.parse2(attributes.clone()) {
        block.errors.push(error);
        return;
    }
    let start = tokens.next().map_or(end, |word| word.span());
    let mut next = tokens.next();
    let mut mutable = None;
    if let Some(word) = next.take_if(|word| is_word(Some(word), "mut")) {
        mutable = Some(Token![mut](word.span()));
        next = tokens.next();
    }
    let at = next.as_ref().map_or(start, TokenTree::span);
    let Ok(name) = parse2::<Ident>(next.into_iter().collect()) else {
        block.errors.push(Error::new(at, "expected the track's name: `let NAME = source |> …;`"));
        return;
    };
    let equals = tokens.next();
    let chain = if is_punct(equals.as_ref(), '=') {
        chain(tokens.collect(), name.span())
    } else {
        let at = equals.as_ref().map_or_else(|| name.span(), TokenTree::span);
        no_equals(is_punct(equals.as_ref(), ':'), at, &tokens.collect::<Tokens>())
    };
    if chain.errors.is_empty() {
        match piece.end {
            End::Semicolon(_) => {}
            End::Missing(at) => block.errors.push(Error::new(at, "missing `;` before this `let`")),
            End::Input => block.errors.push(Error::new(end, "missing `;` after this track")),
        }
    }
    block.tracks.push(Track { attributes, start, mutable, name, chain });
}

/// The chain of a track whose name no `=` follows.
fn no_equals(typed: bool, at: Span, rest: &[TokenTree]) -> Chain {
    let text = match typed {
        true => "a track takes no type: `let NAME = source |> …;`",
        false => "expected `=` after the track's name: `let NAME = source |> …;`",
    };
    let lost = rest.windows(2).filter_map(bound).collect();
    Chain { source: None, stages: Vec::new(), errors: vec![Error::new(at, text)], lost }
}

/// `name @ …`
fn bound(tokens: &[TokenTree]) -> Option<Ident> {
    match tokens {
        [TokenTree::Ident(name), at, ..] if is_punct(Some(at), '@') => {
            parse2(TokenStream::from(TokenTree::from(name.clone()))).ok()
        }
        _ => None,
    }
}

/// `start` is where to complain that there is nothing.
fn chain(tokens: Tokens, start: Span) -> Chain {
    let mut chain = Chain { source: None, stages: Vec::new(), errors: Vec::new(), lost: Vec::new() };
    let (first, stages) = split(tokens);
    if first.is_empty() {
        let error = match stages.first() {
            Some((pipe, _)) => Error::new_spanned(pipe, "`|>` without a source before it"),
            None => Error::new(start, "expected a source: `source |> stage(…)`"),
        };
        chain.errors.push(error);
    } else {
        let bind = bound(&first);
        match source(ungrouped(first)) {
            Ok(source) => chain.source = Some(source),
            Err(error) => {
                chain.errors.push(error);
                chain.lost.extend(bind);
            }
        }
    }
    for (pipe, tokens) in stages {
        if tokens.is_empty() {
            chain.errors.push(Error::new_spanned(pipe, "`|>` without a stage after it"));
            continue;
        }
        let bind = bound(&tokens);
        match stage.parse2(ungrouped(tokens).into_iter().collect()) {
            Ok(stage) => chain.stages.push(stage),
            Err(error) => {
                chain.errors.push(error);
                chain.lost.extend(bind);
            }
        }
    }
    chain
}

/// Splits at `|>`: what precedes the first, and each with what follows it.
fn split(tokens: Tokens) -> (Tokens, Vec<(TokenStream, Tokens)>) {
    let (mut first, mut stages) = (Tokens::new(), Vec::<(TokenStream, Tokens)>::new());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        // whether the two are joint is not asked: `macro_rules!` forgets it, and `|` before `>` is nothing else
        if is_punct(Some(&token), '|')
            && let Some(arrow) = tokens.next_if(|next| is_punct(Some(next), '>'))
        {
            stages.push(([token, arrow].into_iter().collect(), Tokens::new()));
            continue;
        }
        match stages.last_mut() {
            Some((_, stage)) => stage.push(token),
            None => first.push(token),
        }
    }
    (first, stages)
}

/// A piece that a `macro_rules!` passed along as a whole (`$e:expr`), without its invisible delimiters.
fn ungrouped(tokens: Tokens) -> Tokens {
    match tokens.as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            ungrouped(group.stream().into_iter().collect())
        }
        _ => tokens,
    }
}

fn source(tokens: Tokens) -> Result<Source> {
    if let Some(error) = lone_bar(&tokens) {
        return Err(error);
    }
    let bind = bound(&tokens);
    let built_in = match tokens.as_slice() {
        [path @ .., TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            let skip = if bind.is_some() { 2 } else { 0 };
            let name = text(path.get(skip..).unwrap_or_default());
            // of the language's spaces the one that no module of the standard library is called like
            vocabulary::is_source(&name) || name.starts_with("dataloader::")
        }
        _ => false,
    };
    let tokens = tokens.into_iter().collect();
    match bind {
        _ if built_in => stage.parse2(tokens).map(Source::BuiltIn),
        Some(name) => Err(Error::new(name.span(), "only a built-in source has a handle to bind")),
        None => whole.parse2(tokens).map(Source::Value),
    }
}

fn whole(input: ParseStream) -> Result<Expr> {
    let value = input.parse()?;
    match input.cursor().token_tree() {
        None => Ok(value),
        Some((token, _)) => Err(leftover(&token)),
    }
}

/// `range(9) | map(…)`: a Rust expression, but hardly meant as one.
fn lone_bar(tokens: &[TokenTree]) -> Option<Error> {
    let mut rest = tokens;
    while let [_, bar, after @ ..] = rest {
        rest = rest.get(1..)?;
        let half = ['|', '>'].into_iter().find(|&half| is_punct(Some(bar), half));
        let Some(half) = half else { continue };
        let call =
            after.iter().position(|t| matches!(t, TokenTree::Group(g) if g.delimiter() == Delimiter::Parenthesis));
        let name = text(after.get(..call?)?);
        let name = name.split_once('@').map_or(name.as_str(), |(_, name)| name);
        if vocabulary::stage(name).or_else(|| vocabulary::sink(name)).is_some() {
            return Some(Error::new(bar.span(), format!("`{half}` before `{name}`: did you mean `|>`?")));
        }
    }
    None
}

/// A path's tokens as the vocabulary has them.
fn text(tokens: &[TokenTree]) -> String {
    let mut text = String::new();
    for token in tokens {
        match token {
            TokenTree::Ident(name) => text.push_str(&name.to_string()),
            TokenTree::Punct(punct) => text.push(punct.as_char()),
            // no path has one
            TokenTree::Group(_) | TokenTree::Literal(_) => return String::new(),
        }
    }
    text
}

fn stage(input: ParseStream) -> Result<Stage> {
    let mut bind: Option<Ident> = None;
    if input.peek(syn::Ident) && input.peek2(Token![@]) {
        bind = Some(input.parse()?);
        input.parse::<Token![@]>()?;
    }
    let start = input.cursor().token_tree().map(|(token, _)| token);
    let path: ExprPath = match (input.parse(), start, &bind) {
        (Ok(path), ..) => path,
        (Err(_), Some(token), _) => return Err(no_stage(&token)),
        (Err(_), None, Some(bind)) => return Err(Error::new_spanned(bind, "expected a stage: `name @ stage(…)`")),
        (Err(error), None, None) => return Err(error),
    };
    let mut stage = Stage { bind, path, parens: None, args: Vec::new() };
    if input.peek(token::Paren) {
        let content;
        stage.parens = Some(syn::parenthesized!(content in input).span.join());
        stage.args = args(&content)?;
    }
    match input.cursor().token_tree() {
        None => Ok(stage),
        Some((token, _)) => Err(leftover(&token)),
    }
}

fn args(input: ParseStream) -> Result<Vec<Arg>> {
    let mut args = Vec::new();
    while !input.is_empty() {
        let mut name = None;
        if input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>])
        {
            name = Some(input.call(Ident::parse_any)?);
            input.parse::<Token![=]>()?;
        }
        let value = input.parse()?;
        args.push(Arg { name, word: word(&value), value });
        if !input.is_empty() && input.parse::<Token![,]>().is_err() {
            return Err(input.error("expected `,` or the end of the arguments"));
        }
    }
    Ok(args)
}

/// A word and its arguments are written as a stage and its are. Parentheses around make it a Rust value.
fn word(value: &Expr) -> Option<Stage> {
    match value {
        Expr::Path(_) | Expr::Call(_) => stage.parse2(value.to_token_stream()).ok(),
        Expr::Group(group) => word(&group.expr),
        _ => None,
    }
}

fn no_stage(found: &TokenTree) -> Error {
    let closure = is_punct(Some(found), '|') || is_word(Some(found), "move");
    let text = match closure {
        true => "expected a stage: a closure goes into one, `map(|x| …)`",
        false => "expected a stage: `name(arguments)`",
    };
    Error::new(found.span(), text)
}

/// What follows a source or a stage and is no `|>`.
fn leftover(token: &TokenTree) -> Error {
    let text = match token {
        TokenTree::Punct(punct) if punct.as_char() == '|' => "did you mean `|>`?",
        TokenTree::Punct(punct) if punct.as_char() == '<' => "type arguments are written `::<…>`",
        TokenTree::Punct(punct) if punct.as_char() == '.' => {
            "expected `|>` or the end of the chain: a method goes after the whole, `pipeline! { … }.method()`"
        }
        TokenTree::Group(group) if group.delimiter() != Delimiter::None => "a stage's arguments go in parentheses",
        _ => "expected `|>` or the end of the chain (a track ends with `;`)",
    };
    Error::new(token.span(), text)
}
