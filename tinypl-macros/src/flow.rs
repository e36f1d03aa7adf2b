//! Orders and markers along a chain, as far as the block shows them. What it doesn't show, the runtime's guards judge.

use crate::ast::{Stage, bare, name_of};
use crate::bind::Given;
use crate::names::did_you_mean;
use crate::vocabulary::{Guard, Handle, Is, Row, Takes};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::HashMap;
use syn::{Error, Expr, ExprLit, Lit, Result};

/// The handles that the block has bound so far, and what they are of.
pub(crate) type Handles = HashMap<String, &'static Row>;

/// What passes at one place of a chain.
#[derive(Clone, Default)]
pub(crate) struct Flow {
    /// There may be orders and markers from outside of the block.
    open: bool,
    /// Saved and not yet loaded, the innermost last.
    orders: Vec<String>,
    loaded: Vec<String>,
    /// Markers with a name, and whether there are others.
    markers: Vec<String>,
    nameless: bool,
    /// The last stage that no order passes, and where it stands.
    barrier: Option<(&'static str, Span)>,
}

impl Flow {
    /// Below a source that may be a pipeline with orders and markers of its own.
    pub(crate) fn unknown() -> Self {
        Flow { open: true, ..Flow::default() }
    }

    /// Past a built-in stage. Gives the guards of the row that still have something to find out.
    pub(crate) fn pass(
        &mut self,
        stage: &Stage,
        row: &'static Row,
        given: &[Given],
        handles: &Handles,
    ) -> Result<Vec<Guard>> {
        let needed = self.judge(stage, row, given, handles);
        if row.guards.contains(&Guard::Unordered) {
            self.barrier = Some((row.name, stage.at()));
        }
        // whatever the verdict is: what stands below may use the handle
        match (row.handle, &stage.bind) {
            (Handle::Order, Some(name)) => self.orders.push(name.to_string()),
            (Handle::Order, None) => {
                let text = format!("an order needs a name to be loaded by: `o @ {}(…)`", row.name);
                return Err(Error::new_spanned(&stage.path, text));
            }
            (Handle::Marker | Handle::EpochMarker, Some(name)) => self.markers.push(name.to_string()),
            (Handle::Marker, None) => self.nameless = true,
            _ => {}
        }
        needed
    }

    fn judge(&mut self, stage: &Stage, row: &Row, given: &[Given], handles: &Handles) -> Result<Vec<Guard>> {
        let mut needed = Vec::new();
        for &guard in row.guards {
            let unsure = match guard {
                Guard::SendItems | Guard::Pullable | Guard::Sendable | Guard::Flattens => true,
                Guard::Unordered => self.ordered(stage, row)?,
                Guard::Unmarked => !is_placed(given) && self.marked(stage, row)?,
                Guard::Inserted => self.marker(stage, row, given, handles)?,
                Guard::Saved => self.load(row, given, handles)?,
            };
            if unsure {
                needed.push(guard);
            }
        }
        Ok(needed)
    }

    /// Past a stage of the user's, which may do what it likes.
    pub(crate) fn pass_own(&mut self, stage: &Stage) {
        let mut named = Vec::new();
        for arg in &stage.args {
            names_in(arg.value.to_token_stream(), &mut named);
        }
        self.orders.retain(|order| !named.contains(order));
        self.markers.clear();
        self.nameless = false;
        self.barrier = None;
        self.open = true;
    }

    // Each of these says whether it is left to the runtime to judge.

    fn ordered(&self, stage: &Stage, row: &Row) -> Result<bool> {
        let Some(order) = self.orders.last() else {
            return Ok(self.open);
        };
        Err(Error::new_spanned(&stage.path, between(row.name, order)))
    }

    fn marked(&self, stage: &Stage, row: &Row) -> Result<bool> {
        if self.markers.is_empty() && !self.nameless {
            return Ok(self.open);
        }
        let text = format!(
            "`{}` on a stream that carries markers: say where they go, `markers = before` or `markers = after`",
            row.name
        );
        Err(Error::new_spanned(&stage.path, text))
    }

    fn marker(&mut self, stage: &Stage, row: &Row, given: &[Given], handles: &Handles) -> Result<bool> {
        let insert = "insert it above: `m @ marker::insert_periodic(n)`";
        let taken_out = given.iter().any(is_switched_on);
        let Some(value) = value_of(Takes::Marker, given) else {
            if self.nameless || !self.markers.is_empty() {
                self.markers.retain(|_| !taken_out);
                self.nameless &= !taken_out;
                return Ok(false);
            }
            let text = format!("no marker is inserted upstream: {insert}");
            return if self.open { Ok(true) } else { Err(Error::new_spanned(&stage.path, text)) };
        };
        let Some(name) = name_of(value) else { return Ok(true) };
        let text = name.to_string();
        if let Some(of) = handles.get(&text).filter(|of| !of.handle.is_marker()) {
            return Err(not_a(name, of, row, "a marker"));
        }
        if self.markers.contains(&text) {
            self.markers.retain(|marker| !taken_out || *marker != text);
            return Ok(false);
        }
        if self.open {
            return Ok(true);
        }
        let hint = did_you_mean(&text, self.markers.iter().map(String::as_str), || format!(": {insert}"));
        Err(Error::new(name.span(), format!("the marker `{text}` is not inserted upstream{hint}")))
    }

    fn load(&mut self, row: &Row, given: &[Given], handles: &Handles) -> Result<bool> {
        let Some(name) = value_of(Takes::Order, given).and_then(name_of) else {
            // whichever order it is: nothing can be said of the others any more
            self.orders.clear();
            self.open = true;
            return Ok(true);
        };
        let text = name.to_string();
        if let Some(of) = handles.get(&text).filter(|of| of.handle != Handle::Order) {
            return Err(not_a(name, of, row, "an order"));
        }
        if self.orders.pop_if(|inner| *inner == text).is_some() {
            self.loaded.push(text);
            return Ok(false);
        }
        if let Some(inner) = self.orders.last().filter(|_| self.orders.contains(&text)) {
            let error = Error::new(name.span(), format!("orders are crossed: load `{inner}` before `{text}`"));
            self.orders.retain(|order| *order != text);
            return Err(error);
        }
        if self.loaded.contains(&text) {
            return Err(Error::new(name.span(), format!("the order `{text}` is loaded twice")));
        }
        if let (Some((stage, at)), true) = (self.barrier, self.open) {
            return Err(Error::new(at, between(stage, &text)));
        }
        if self.open {
            return Ok(true);
        }
        let save = || format!(": save it above, `{text} @ order::save(n)`");
        let hint = did_you_mean(&text, self.orders.iter().map(String::as_str), save);
        Err(Error::new(name.span(), format!("the order `{text}` is not saved upstream{hint}")))
    }
}

fn between(stage: &str, order: &str) -> String {
    format!("`{stage}` can't stand between `order::save` and `order::load`: put `order::load({order})` before it")
}

fn value_of<'a>(what: Takes, given: &[Given<'a>]) -> Option<&'a Expr> {
    given.iter().find(|given| given.param.takes == what).map(|given| &given.arg.value)
}

/// The names of the orders that a stage may load: for an own stage whatever its arguments mention.
pub(crate) fn loads(stage: &Stage, row: Option<&Row>) -> Vec<String> {
    let mut names = Vec::new();
    if row.is_none_or(|row| row.takes(Takes::Order)) {
        for arg in &stage.args {
            names_in(arg.value.to_token_stream(), &mut names);
        }
    }
    names
}

fn names_in(tokens: TokenStream, names: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => names.push(name.to_string()),
            TokenTree::Group(group) => names_in(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn not_a(name: &Ident, of: &Row, row: &Row, what: &str) -> Error {
    Error::new(name.span(), format!("`{name}` is the handle of `{}`: `{}` needs {what}", of.name, row.name))
}

/// Whether an option says what `Guard::Unmarked` asks for: all that its stage has say so, unless they are switched off.
fn is_placed(given: &[Given]) -> bool {
    given.iter().any(|given| given.param.is == Is::Optional && literal(given) != Some(false))
}

/// A literal `true` where it calls another setter.
fn is_switched_on(given: &Given) -> bool {
    literal(given) == Some(true) && matches!(given.param.is, Is::Switch(_))
}

fn literal(given: &Given) -> Option<bool> {
    match bare(&given.arg.value) {
        Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. }) => Some(literal.value),
        _ => None,
    }
}
