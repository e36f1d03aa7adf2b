//! Closures that are seen to be `Fn` without asking rustc: `|x| x % 2 == 0`, `|w| w.trim().len()`.
//!
//! They need no `hint` and no check (`function`), which is worth a good part of an expansion's compile time. The rule is
//! strict, because a closure that is wrongly taken for `Fn` would be refused: a captured variable may only be the
//! operand of an operator or stand under `&`. It is not assigned to, not moved, and not the receiver or argument of a
//! call, where rustc may borrow it mutably without a `&mut` in sight. Whatever is not listed here is not plain.

use syn::{BinOp, Block, Expr, ExprClosure, ExprIf, ExprMatch, ExprPath, Pat, Stmt, UnOp};

pub(crate) fn is_plain(closure: &ExprClosure) -> bool {
    let ordinary = closure.attrs.is_empty() && closure.lifetimes.is_none() && closure.asyncness.is_none();
    let mut body = Body { locals: Vec::new() };
    ordinary && closure.inputs.iter().all(|input| body.pattern(input)) && body.value(&closure.body)
}

struct Body {
    /// Names that the closure itself binds.
    locals: Vec<String>,
}

impl Body {
    /// A value that is moved, borrowed as rustc likes, or called: no part of it may be captured.
    fn value(&mut self, value: &Expr) -> bool {
        match value {
            Expr::Path(path) => is_global(path) || self.is_local(path),
            Expr::Call(call) => self.is_function(&call.func) && self.values(&call.args),
            Expr::MethodCall(call) => self.value(&call.receiver) && self.values(&call.args),
            Expr::Field(field) => self.value(&field.base),
            Expr::Index(index) => self.value(&index.expr) && self.operand(&index.index),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => self.value(&unary.expr),
            Expr::Paren(paren) => self.value(&paren.expr),
            Expr::Group(group) => self.value(&group.expr),
            Expr::Tuple(tuple) => self.values(&tuple.elems),
            Expr::Array(array) => self.values(&array.elems),
            Expr::Try(tried) => self.value(&tried.expr),
            Expr::If(branch) => self.branch(branch),
            Expr::Match(choice) => self.choice(choice),
            Expr::Block(block) => block.label.is_none() && self.block(&block.block),
            _ => self.fresh(value),
        }
    }

    /// A value that is only read.
    fn operand(&mut self, value: &Expr) -> bool {
        match value {
            Expr::Path(path) => path.qself.is_none(),
            Expr::Field(field) => self.operand(&field.base),
            Expr::Index(index) => self.operand(&index.expr) && self.operand(&index.index),
            Expr::Paren(paren) => self.operand(&paren.expr),
            Expr::Group(group) => self.operand(&group.expr),
            _ => self.value(value),
        }
    }

    /// A value that an operator or a literal makes.
    fn fresh(&mut self, value: &Expr) -> bool {
        match value {
            Expr::Lit(_) => true,
            Expr::Binary(binary) => match binary.op {
                // on a stream, as in `out << x`, these are calls
                BinOp::Shl(_) | BinOp::Shr(_) => self.value(&binary.left) && self.operand(&binary.right),
                op => !assigns(&op) && self.operand(&binary.left) && self.operand(&binary.right),
            },
            Expr::Unary(unary) => matches!(unary.op, UnOp::Not(_) | UnOp::Neg(_)) && self.operand(&unary.expr),
            Expr::Cast(cast) => self.operand(&cast.expr),
            Expr::Reference(reference) => reference.mutability.is_none() && self.operand(&reference.expr),
            _ => false,
        }
    }

    fn values<'a>(&mut self, values: impl IntoIterator<Item = &'a Expr>) -> bool {
        values.into_iter().all(|value| self.value(value))
    }

    fn branch(&mut self, branch: &ExprIf) -> bool {
        let outer = self.locals.len();
        let cond = match &*branch.cond {
            Expr::Let(bound) => self.value(&bound.expr) && self.pattern(&bound.pat),
            cond => self.operand(cond),
        };
        let then = cond && self.block(&branch.then_branch);
        self.locals.truncate(outer);
        then && branch.else_branch.as_ref().is_none_or(|(_, otherwise)| self.value(otherwise))
    }

    fn choice(&mut self, choice: &ExprMatch) -> bool {
        self.value(&choice.expr)
            && choice.arms.iter().all(|arm| {
                let outer = self.locals.len();
                let plain = self.pattern(&arm.pat) && self.value(&arm.body);
                self.locals.truncate(outer);
                plain
            })
    }

    fn block(&mut self, block: &Block) -> bool {
        let outer = self.locals.len();
        let plain = block.stmts.iter().all(|statement| match statement {
            Stmt::Local(local) => {
                let init = local.init.as_ref();
                init.is_none_or(|init| init.diverge.is_none() && self.value(&init.expr)) && self.pattern(&local.pat)
            }
            Stmt::Expr(value, _) => self.value(value),
            Stmt::Item(_) | Stmt::Macro(_) => false,
        });
        self.locals.truncate(outer);
        plain
    }

    /// Notes the names that a pattern binds.
    fn pattern(&mut self, pattern: &Pat) -> bool {
        match pattern {
            Pat::Ident(name) => {
                self.locals.push(name.ident.to_string());
                name.subpat.as_ref().is_none_or(|(_, inner)| self.pattern(inner))
            }
            Pat::Tuple(tuple) => tuple.elems.iter().all(|inner| self.pattern(inner)),
            Pat::TupleStruct(tuple) => tuple.elems.iter().all(|inner| self.pattern(inner)),
            Pat::Struct(fields) => fields.fields.iter().all(|field| self.pattern(&field.pat)),
            Pat::Slice(slice) => slice.elems.iter().all(|inner| self.pattern(inner)),
            Pat::Reference(reference) => self.pattern(&reference.pat),
            Pat::Paren(paren) => self.pattern(&paren.pat),
            Pat::Type(typed) => self.pattern(&typed.pat),
            Pat::Or(or) => or.cases.iter().all(|inner| self.pattern(inner)),
            Pat::Guard(guarded) => self.pattern(&guarded.pat) && self.operand(&guarded.guard),
            Pat::Wild(_) | Pat::Lit(_) | Pat::Range(_) | Pat::Path(_) | Pat::Rest(_) => true,
            _ => false,
        }
    }

    /// A function that is no captured closure.
    fn is_function(&self, function: &Expr) -> bool {
        match function {
            Expr::Path(path) => is_global(path) || self.is_local(path),
            _ => false,
        }
    }

    fn is_local(&self, path: &ExprPath) -> bool {
        path.path.get_ident().is_some_and(|name| self.locals.iter().any(|local| name == local))
    }
}

/// A path that is not a variable's, by the looks of it.
fn is_global(path: &ExprPath) -> bool {
    let segments = &path.path.segments;
    let upper = |name: &proc_macro2::Ident| name.to_string().starts_with(char::is_uppercase);
    path.qself.is_some() || segments.len() > 1 || segments.first().is_some_and(|only| upper(&only.ident))
}

fn assigns(op: &BinOp) -> bool {
    use BinOp::{
        AddAssign, BitAndAssign, BitOrAssign, BitXorAssign, DivAssign, MulAssign, RemAssign, ShlAssign, ShrAssign,
        SubAssign,
    };
    matches!(
        op,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitXorAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(closure: &str) -> bool {
        is_plain(&syn::parse_str(closure).expect("a closure"))
    }

    #[test]
    fn reading_is_plain() {
        for closure in [
            "|x| x + 1",
            "|x| x % 2 == 0 && !x.is_empty()",
            "move |x| (x * k + LIMIT) as u64 / table[x % 3] - point.x",
            "|w| w.trim().to_uppercase()",
            "|(i, x)| Some(i + x)",
            "|x| i32::from(x).pow(2)",
            "|x| if x > k { Ok(x) } else { Err(Error::TooSmall) }",
            "|x| { let y = x * 2; match y { 0 => None, n if n > k => Some(n), _ => Some(y?) } }",
            "|s| s.parse::<i32>()",
            "|x| Wrapped::new(&k, x)",
            "|x| 1 << k | x >> k",
        ] {
            assert!(plain(closure), "{closure}");
        }
    }

    #[test]
    fn whatever_may_change_or_move_a_variable_is_not() {
        for closure in [
            "|x| { n += x; n }",
            "|x| n = x",
            "|x| seen.insert(x)",
            "|x| x.append(buffer)",
            "|x| Vec::push(buffer, x)",
            "|x| f(x)",
            "|x| (f)(x)",
            "|x| &mut n",
            "|x| { let b = buffer; x }",
            "|x| match state { _ => x }",
            "|x| { { let k = 1; } k.push(x) }",
            "|x| *k.lock()",
            "|x| x + *k",
            "|x| write!(out, \"{x}\")",
            "|_| captured",
            "|_| captured.field",
            "|x| [captured]",
            "|x| rows[x].push(1)",
            "|x| std::mem::take(place)",
            "|x| x.iter().map(|y| y + n)",
            "|x| out << x",
            "async |x| x",
        ] {
            assert!(!plain(closure), "{closure}");
        }
    }
}
