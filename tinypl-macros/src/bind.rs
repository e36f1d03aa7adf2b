//! Arguments to parameters: names, how many, and what can be told of a value without its type.

use crate::ast::{Arg, Stage, bare, ends, name_of};
use crate::names::{did_you_mean, nearest};
use crate::vocabulary::{Function, Param, Row, Takes};
use proc_macro2::Ident;
use quote::{ToTokens, quote};
use syn::{Error, Expr, Lit, Result, parse2};

/// An argument and the parameter that it is for.
pub(crate) struct Given<'a> {
    pub(crate) param: &'static Param,
    pub(crate) arg: &'a Arg,
    /// The value is an earlier track's name.
    pub(crate) track: bool,
    /// The value is one of the parameter's words.
    pub(crate) word: Option<Word<'a>>,
}

/// A word and its arguments.
pub(crate) struct Word<'a> {
    pub(crate) row: &'static Row,
    pub(crate) stage: &'a Stage,
    pub(crate) given: Vec<Given<'a>>,
}

/// What the arguments of a built-in are for, in the order in which they are written.
pub(crate) fn built_in<'a>(
    stage: &'a Stage,
    row: &'static Row,
    track: impl Fn(&Ident) -> bool,
) -> Result<Vec<Given<'a>>> {
    in_order(stage)?;
    no_generics(stage, row)?;
    let mut given: Vec<Given> = Vec::new();
    for (place, arg) in stage.args.iter().enumerate() {
        let param = match &arg.name {
            Some(name) => named(name, row)?,
            None => row.given().nth(place).ok_or_else(|| surplus(arg, row))?,
        };
        if given.iter().any(|other| other.param.name == param.name) {
            let at = arg.name.as_ref().map_or(ends(&arg.value).0, Ident::span);
            return Err(Error::new(at, format!("`{}` is given twice", param.name)));
        }
        value(param, &arg.value, row)?;
        let track = param.takes == Takes::Upstream && name_of(&arg.value).is_some_and(&track);
        given.push(Given { param, arg, track, word: word(param, arg)? });
    }
    let absent = |param: &&'static Param| !given.iter().any(|given| given.param.name == param.name);
    let missing = row.given().filter(|param| param.is_needed()).find(absent);
    match missing {
        None => Ok(given),
        Some(param) => {
            let text = format!("`{}` needs `{}`: {}", row.name, param.name, row.signature());
            Err(Error::new(stage.at(), text))
        }
    }
}

/// The row of `rows`, which have one name, that has room for the arguments; an error if none has.
pub(crate) fn overload(stage: &Stage, rows: impl Iterator<Item = &'static Row> + Clone) -> Result<&'static Row> {
    let fits = |row: &&'static Row| {
        let known = |arg: &Arg| arg.name.as_ref().is_none_or(|name| row.given().any(|param| name == param.name));
        let needed = row.given().filter(|param| param.is_needed()).count();
        (needed..=row.given().count()).contains(&stage.args.len()) && stage.args.iter().all(known)
    };
    let mut all = rows.clone();
    match (rows.clone().find(fits), all.next(), all.next()) {
        // of one row the error can say more
        (Some(row), ..) | (None, Some(row), None) => Ok(row),
        _ => {
            let forms: Vec<String> = rows.map(Row::signature).collect();
            Err(Error::new(stage.at(), format!("expected {}", forms.join(" or "))))
        }
    }
}

/// The same for an own stage, whose parameters are not known.
pub(crate) fn own(stage: &Stage) -> Result<()> {
    in_order(stage)?;
    let names: Vec<&Ident> = stage.args.iter().filter_map(|arg| arg.name.as_ref()).collect();
    for (place, name) in names.iter().enumerate() {
        if names.iter().take(place).any(|other| other == name) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice")));
        }
        if parse2::<Ident>(name.to_token_stream()).is_err() {
            return Err(Error::new(name.span(), format!("`{name}` is a keyword, so no method is called like it")));
        }
    }
    Ok(())
}

fn in_order(stage: &Stage) -> Result<()> {
    let named = stage.args.iter().skip_while(|arg| arg.name.is_none());
    match named.clone().find(|arg| arg.name.is_none()) {
        None => Ok(()),
        Some(arg) => Err(Error::new_spanned(&arg.value, "a positional argument can't follow a named one")),
    }
}

fn no_generics(stage: &Stage, row: &Row) -> Result<()> {
    match stage.path.path.segments.iter().find(|segment| !segment.arguments.is_none()) {
        Some(segment) if !row.generic => {
            let text = format!("`{}` takes no type arguments", row.name);
            Err(Error::new_spanned(&segment.arguments, text))
        }
        _ => Ok(()),
    }
}

fn named(name: &Ident, row: &'static Row) -> Result<&'static Param> {
    row.given().find(|param| name == param.name).ok_or_else(|| {
        let it_has = || match row.given().next() {
            Some(_) => format!(": {}", row.signature()),
            None => String::new(),
        };
        let hint = did_you_mean(&name.to_string(), row.given().map(|param| param.name), it_has);
        Error::new(name.span(), format!("`{}` has no option `{name}`{hint}", row.name))
    })
}

fn surplus(arg: &Arg, row: &Row) -> Error {
    let signature = row.signature();
    let text = match row.given().count() {
        0 => format!("`{}` takes no arguments", row.name),
        1 => format!("`{}` takes 1 argument: {signature}", row.name),
        n => format!("`{}` takes {n} arguments: {signature}", row.name),
    };
    Error::new_spanned(&arg.value, text)
}

fn value(param: &Param, value: &Expr, row: &Row) -> Result<()> {
    let name = param.name;
    let wrong = |text: String| Err(Error::new_spanned(value, text));
    match (param.takes, bare(value)) {
        (Takes::Count, Expr::Lit(literal)) if is_zero(&literal.lit) => wrong(format!("`{name}` must be at least 1")),
        (Takes::Flag, value) if !is_flag(value) => {
            wrong(format!("`{name}` takes a literal `true` or `false`: a type depends on it"))
        }
        (Takes::Order, Expr::Lit(_)) => {
            wrong(format!("`{}` needs the name of an order: `{name} @ order::save(…)`", row.name))
        }
        (Takes::Marker, Expr::Lit(_)) => {
            wrong(format!("`{}` needs the name of a marker: `{name} @ marker::insert_periodic(…)`", row.name))
        }
        (Takes::Function(Function::Call), Expr::Closure(closure)) => arity(closure, &[]),
        (Takes::Function(_) | Takes::Message, Expr::Closure(closure)) => arity(closure, &["x"]),
        (Takes::Pointer(pointer), Expr::Closure(closure)) => arity(closure, pointer.arguments()),
        _ => Ok(()),
    }
}

fn is_flag(value: &Expr) -> bool {
    matches!(value, Expr::Lit(literal) if matches!(literal.lit, Lit::Bool(_)))
}

fn is_zero(literal: &Lit) -> bool {
    matches!(literal, Lit::Int(number) if number.base10_digits() == "0")
}

fn arity(closure: &syn::ExprClosure, takes: &[&str]) -> Result<()> {
    let given = closure.inputs.len();
    let text = match (takes, given) {
        _ if takes.len() == given => return Ok(()),
        ([], _) => "this function takes no arguments: `|| …`".to_owned(),
        ([_], 0) => "this function takes the item: `|x| …`".to_owned(),
        ([_], _) => {
            format!("this function takes 1 argument, not {given}: of an item that is a tuple write `|(a, b)| …`")
        }
        _ => format!("this function takes {} arguments, not {given}: `|{}| …`", takes.len(), takes.join(", ")),
    };
    let (begin, end) = (&closure.inputs_begin, &closure.inputs_end);
    Err(Error::new_spanned(quote!(#begin #end), text))
}

/// A single name that is no word, but nearly one, is taken for a slip; any other may be a variable's or a function's.
fn word<'a>(param: &'static Param, arg: &'a Arg) -> Result<Option<Word<'a>>> {
    let (Takes::Word(words) | Takes::Mode(words), Some(stage)) = (param.takes, &arg.word) else {
        return Ok(None);
    };
    let text = stage.name();
    if let Some(row) = words.iter().find(|row| row.name == text) {
        return Ok(Some(Word { row, stage, given: built_in(stage, row, |_| false)? }));
    }
    match nearest(&text, words.iter().map(|row| row.name)) {
        None => Ok(None),
        Some(near) => {
            let hint = format!("did you mean `{near}`? (a Rust value goes in parentheses)");
            Err(Error::new(stage.at(), format!("unknown value `{text}` of `{}`: {hint}", param.name)))
        }
    }
}
