//! The forms of a block.
use std::collections::BTreeSet;
use std::error::Error;
use tinypl::pipeline;

#[test]
fn the_first_example() {
    let pipe = pipeline! { range(100) |> map(|x| 3 * x + 1) |> filter(|x| x % 2 == 0) |> partition(2) };
    let mut pairs = vec![];
    for pair in pipe {
        pairs.push(format!("{pair:?}"));
    }
    assert_eq!(pairs[..2], ["[4, 10]", "[16, 22]"]);
    assert_eq!(pairs.len(), 25);
}

#[test]
fn braces_parentheses_and_brackets_are_the_same() {
    let braces: Vec<i32> = pipeline! { range(3) |> map(|x| x + 1) |> collect() };
    let parentheses: Vec<i32> = pipeline!(range(3) |> map(|x| x + 1) |> collect());
    let brackets: Vec<i32> = pipeline![range(3) |> map(|x| x + 1) |> collect()];
    assert_eq!(braces, [1, 2, 3]);
    assert_eq!(parentheses, braces);
    assert_eq!(brackets, braces);
}

#[test]
fn the_two_tokens_of_a_pipe_may_stand_apart() {
    assert_eq!(pipeline! { range(3) | > map(|x| x + 1) | > collect::<Vec<_>>() }, [1, 2, 3]);
}

#[test]
fn a_source_alone_is_a_pipeline() {
    assert_eq!(pipeline! { [1, 2] }.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(pipeline! { range(2) }.collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_block_with_only_a_chain_is_a_pipeline() {
    let mut pipe = pipeline! { range(3) |> map(|x| x + 1) };
    assert_eq!(pipe.next(), Some(1));
    assert_eq!(pipe.collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn an_or_in_the_source_stays_an_or() {
    let (a, b) = (BTreeSet::from([1, 3]), BTreeSet::from([2, 3]));
    assert_eq!(pipeline! { &a | &b |> map(|x| 10 * x) |> collect::<Vec<_>>() }, [10, 20, 30]);
}

#[test]
fn bars_and_comparisons_in_arguments_are_not_pipes() {
    let kept: Vec<i32> = pipeline! {
        range(8) |> filter(|x| (x | 4) > 5 && *x != 4 || *x == 1) |> map(|x| x | 8) |> collect()
    };
    assert_eq!(kept, [9, 10, 11, 14, 15]);
}

#[test]
fn a_block_is_an_expression_wherever_one_may_stand() {
    let double = |n: i32| pipeline! { range(n) |> map(|x| 2 * x) |> count() } * 2;
    assert_eq!(double(3), 6);
    let sum = match pipeline! { range(4) |> count() } {
        4 => "four",
        _ => "another",
    };
    assert_eq!(sum, "four");
    assert_eq!((pipeline! { range(2) |> count() }, 1), (2, 1));
    let if_any = if pipeline! { range(2) |> count() } > 1 { 'y' } else { 'n' };
    assert_eq!(if_any, 'y');
}

#[test]
fn a_block_that_runs_is_a_statement_without_a_semicolon() {
    let mut seen = vec![];
    pipeline! { range(3) |> for_each(|x| seen.push(x)) }
    assert_eq!(seen, [0, 1, 2]);
}

#[test]
fn a_block_stands_inside_another_ones_function() {
    let sums: Vec<i32> =
        pipeline! { range(4) |> map(|n| pipeline! { range(n) |> fold(0, |a, b| a + b) }) |> collect() };
    assert_eq!(sums, [0, 0, 1, 3]);
}

#[test]
fn a_block_stands_as_another_ones_source_and_argument() {
    let pairs: Vec<_> =
        pipeline! { pipeline! { range(3) |> skip(1) } |> zip(pipeline! { range(9) |> map(|x| -x) }) |> collect() };
    assert_eq!(pairs, [(1, 0), (2, -1)]);
}

#[test]
fn a_question_mark_leaves_the_function_around() {
    fn sum(from: &str, step: &str) -> Result<i32, Box<dyn Error>> {
        Ok(pipeline! { range(from.parse()?, 10) |> map(|x| x) |> take(step.parse()?) |> fold(0, |a, b| a + b) })
    }
    assert_eq!(sum("7", "2").unwrap(), 15);
    assert!(sum("seven", "2").is_err());
    assert!(sum("7", "two").is_err());
}

#[test]
fn a_return_in_an_argument_leaves_the_function_around() {
    fn first(n: Option<usize>) -> Vec<i32> {
        pipeline! { range(9) |> take(match n { Some(n) => n, None => return vec![] }) |> collect() }
    }
    assert_eq!(first(Some(2)), [0, 1]);
    assert_eq!(first(None), Vec::<i32>::new());
}

#[test]
fn a_block_borrows_and_moves_as_a_closure_of_its_own_does() {
    let text = String::from("ab");
    let by = 10;
    let borrowed: Vec<String> = pipeline! { range(2) |> map(|x| format!("{text}{}", x + by)) |> collect() };
    assert_eq!((borrowed, text.len()), (vec!["ab10".to_owned(), "ab11".to_owned()], 2));
    let moved = pipeline! { range(1) |> map(move |x| format!("{text}{x}")) };
    assert_eq!(moved.collect::<Vec<_>>(), ["ab0"]);
}

#[test]
fn a_closures_argument_may_be_a_pattern_a_reference_or_typed() {
    let all: Vec<i32> = pipeline! {
        [(1, 2), (3, 4)] |> filter(|(a, _)| *a > 0) |> filter(|&(_, b)| b < 9) |> map(|(a, b): (i32, i32)| a * b)
            |> filter(|&x| x > 0) |> each(|_| ()) |> collect()
    };
    assert_eq!(all, [2, 12]);
}

#[test]
fn a_function_may_be_a_path_a_method_or_a_variable() {
    fn even(x: &i32) -> bool {
        x % 2 == 0
    }
    let negate = |x: i32| -x;
    let all: Vec<String> = pipeline! { range(5) |> filter(even) |> map(negate) |> map(i32::abs) |> map(Some)
        |> filter_map(|x| x)
    |> map(|x| x.to_string()) |> collect() };
    assert_eq!(all, ["0", "2", "4"]);
    let words: Vec<&str> = pipeline! { [" a", "b "] |> map(str::trim) |> collect() };
    assert_eq!(words, ["a", "b"]);
}

#[test]
fn methods_are_found_on_inferred_items() {
    let text = String::from(" a , b ,, c");
    let trimmed: Vec<&str> =
        pipeline! { text.split(',') |> map(|s| s.trim()) |> filter(|s| !s.is_empty()) |> collect() };
    assert_eq!(trimmed, ["a", "b", "c"]);
}
