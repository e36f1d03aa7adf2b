//! Whatever tokens it gets, the macro returns, and what it returns is Rust; and what some blocks become, word for word.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use std::{env, fs, path::Path};
use syn::Block;
use syn::parse::Parser;

/// Programs to spoil.
const PROGRAMS: &[&str] = &[
    "range(100) |> map(|x| 3 * x + 1) |> filter(|x| x % 2 == 0) |> partition(2)",
    "let mut a = range(9) |> m @ marker::insert_periodic(3, after = false) |> o @ order::save(4);
     let b = a |> thread::queue(4, maxsize = 8, on_worker_error = forward) |> order::load(o) |> marker::until(m);",
    "crate = path::to::tinypl; let a = range(1, 9, 2); a |> zip(a) |> map(|(x, y)| x + y) |> collect::<Vec<_>>()",
    "&mut pipe |> q @ thread::map(move |x: i32| -> i32 { x + 1 }, workers = 2,) |> fold(0, |a, b| a + b)",
    "words().split(' ') |> my::own::<3>(window = 8, 1) |> debug::print_on_item(\"x\") |> each(f) |> count",
    "v |> thread::map_init(|| 1, |s, x| *s + x, 2) |> marker::on(|| hit(), m, consume = true) |> try_collect()",
    "v |> process::map_with(c, |c, x| c + x, 2, on_death = retry(3)) |> p @ process::map_init(|| 1, |s, x| *s + x, 2) |> share",
    "range(9) | map(f) |> flatten() |> ratelimit(1, d) |> skip(0) |> partition(3, markers = befor)",
    "if let Some(x) = y { 0..x } else { 0..1 } |> <T as Stages>::own(x) |> try_map(|s| s.parse::<i32>())",
    "range(3) |> m @ marker::insert_periodic() |> marker::on(|| S { a: 1 }.go(), m) |> order::load(S { o }.o)",
    "#[allow(unused)] #[x = 1] let mut a = range(3) |> o @ order::save(2); let b = a |> order::load(o);",
    "let a = e @ dataloader::load(&v, 4, sampler = sampler::shuffle(42).epochs(10), map = thread(workers = 4), fallible = true,
        collate = |s| s.len(), collate_map = process(2, on_death = retry(3)), epoch_end = drop_last); a |> marker::until(e) |> count",
    "let x: u8 = range(3) let b = = |> @ ; |> |> ; crate = ; ;; let",
];

/// Numbers that look random and are the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }

    fn token(&mut self, all: &[TokenTree]) -> TokenTree {
        const WORDS: &[&str] = &[
            "let", "mut", "crate", "map", "range", "thread", "order", "load", "save", "o", "m", "_", "self", "fn",
            "if", "match", "move", "collect", "workers", "tinypl", "type", "async", "unsafe", "return", "zip", "count",
        ];
        const PUNCTS: &[char] = &['|', '>', ';', '@', '=', ':', ',', '.', '<', '&', '!', '?', '#', '$', '\'', '-', '+'];
        match self.below(5) {
            0 => Ident::new(WORDS[self.below(WORDS.len())], Span::call_site()).into(),
            1 => {
                let spacing = if self.below(2) == 0 { Spacing::Alone } else { Spacing::Joint };
                Punct::new(PUNCTS[self.below(PUNCTS.len())], spacing).into()
            }
            2 => Literal::usize_unsuffixed(self.below(3)).into(),
            3 => {
                let delimiters = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
                let inner = (0..self.below(4)).map(|_| self.token(all)).collect();
                Group::new(delimiters[self.below(4)], inner).into()
            }
            _ if all.is_empty() => Literal::string("x").into(),
            _ => all[self.below(all.len())].clone(),
        }
    }

    /// One of: delete, double, swap, insert, group, or the same inside of a group.
    fn spoil(&mut self, tokens: TokenStream, all: &[TokenTree]) -> TokenStream {
        let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let at = self.below(tokens.len());
        match (self.below(7), tokens.get(at).cloned()) {
            (0, Some(_)) => drop(tokens.remove(at)),
            (1, Some(token)) => tokens.insert(at, token),
            (2, Some(_)) => {
                let other = self.below(tokens.len());
                tokens.swap(at, other);
            }
            (3, Some(_)) => {
                let end = at + self.below(tokens.len() - at) + 1;
                let inner = tokens.drain(at..end).collect();
                let delimiter = [Delimiter::None, Delimiter::Parenthesis, Delimiter::Brace][self.below(3)];
                tokens.insert(at, Group::new(delimiter, inner).into());
            }
            (4 | 5, Some(TokenTree::Group(group))) => {
                tokens[at] = Group::new(group.delimiter(), self.spoil(group.stream(), all)).into();
            }
            _ => tokens.insert(at, self.token(all)),
        }
        tokens.into_iter().collect()
    }
}

fn flatten(tokens: TokenStream, all: &mut Vec<TokenTree>) {
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            flatten(group.stream(), all);
        }
        all.push(token);
    }
}

fn check(tokens: TokenStream) {
    let expansion = crate::block(tokens.clone());
    // reported as rustc would see it: as statements or, in other places, as an expression
    if let Err(error) = Block::parse_within.parse2(expansion.clone()) {
        panic!("{error}\nof {tokens}\nwhich becomes {expansion}");
    }
}

fn parsed(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

#[test]
fn spoilt_programs_expand_to_rust() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut all = Vec::new();
    PROGRAMS.iter().for_each(|text| flatten(parsed(text), &mut all));
    for round in 0..20_000 {
        let mut tokens = parsed(PROGRAMS[round % PROGRAMS.len()]);
        for _ in 0..=numbers.below(4) {
            tokens = numbers.spoil(tokens, &all);
        }
        check(tokens);
    }
}

#[test]
fn noise_expands_to_rust() {
    let mut numbers = Numbers(42);
    let mut all = Vec::new();
    PROGRAMS.iter().for_each(|text| flatten(parsed(text), &mut all));
    for _ in 0..10_000 {
        check((0..numbers.below(12)).map(|_| numbers.token(&all)).collect());
    }
}

/// What separates a block from its expansion in `tests/expansions/*.txt`.
const BECOMES: &str = "\n==>\n";

/// `UPDATE=1 cargo test -p tinypl-macros` writes the expansions anew.
#[test]
fn expansions_are_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansions");
    let mut differ = Vec::new();
    for file in fs::read_dir(folder).expect("tests/expansions") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("text");
        let block = text.split_once(BECOMES).map_or(text.as_str(), |parts| parts.0).trim_end();
        let now = format!("{block}{BECOMES}{}", pretty(&crate::block(parsed(block))));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, now).expect("written");
        } else if now != text {
            differ.push(format!("{}:\n{now}", path.display()));
        }
    }
    assert!(differ.is_empty(), "these differ now (UPDATE=1 writes them anew):\n{}", differ.join("\n"));
}

/// `tests/mistakes.txt`: a block in each paragraph, and what the macro says of it. `UPDATE=1` as above.
#[test]
fn mistakes_are_named() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes.txt");
    let text = fs::read_to_string(&path).expect("tests/mistakes.txt");
    let mut now = Vec::new();
    for paragraph in text.trim_end().split("\n\n") {
        let block = paragraph.split("\n    error: ").next().unwrap_or_default();
        let mut said = Vec::new();
        errors(crate::block(parsed(block)), &mut said);
        assert!(!said.is_empty(), "no mistake in {block}");
        now.push(format!("{block}\n{}", said.join("\n")));
    }
    let now = now.join("\n\n") + "\n";
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, now).expect("written");
    } else {
        assert_eq!(now, text);
    }
}

/// The texts of all `compile_error!`.
fn errors(tokens: TokenStream, said: &mut Vec<String>) {
    let mut is_error = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) if is_error => {
                let text: syn::LitStr = syn::parse2(group.stream()).expect("a text");
                said.push(format!("    error: {}", text.value()));
                is_error = false;
            }
            TokenTree::Group(group) => errors(group.stream(), said),
            TokenTree::Ident(name) => is_error = name == "compile_error",
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// As a person would write it.
fn pretty(expansion: &TokenStream) -> String {
    let file = syn::parse2(quote::quote!(fn here() { #expansion })).expect("statements");
    let text = prettyplease::unparse(&file);
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    lines.join("\n") + "\n"
}
