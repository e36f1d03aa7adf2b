// A handle that is not used, and a track that is only a source, are not warned of where they have no use but their name.
#![deny(warnings)]

use tinypl::pipeline;

fn main() {
    pipeline! {
        let a = range(9) |> m @ marker::insert_periodic(3) |> o @ order::save(4);
        let b = a |> thread::map(|x| x + 1, workers = 2) |> order::load(o);
        let mut c = b |> marker::until(m) |> partition(2, markers = after);
    }
    assert_eq!(c.next(), Some(vec![1, 2]));
    let n = pipeline! {
        let a = range(9) |> map(|x| x + 1);
        let b = a |> filter(|x| x % 2 == 0);
        a |> zip(b) |> count()
    };
    assert!(n > 0);
}
