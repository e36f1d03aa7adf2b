// An expansion has no unsafe code, and needs no `use`.
#![forbid(unsafe_code)]
#![deny(warnings)]

fn main() {
    tinypl::pipeline! {
        let mut a = range(9) |> o @ order::save(4) |> q @ thread::map(|x| 2 * x, workers = 2) |> order::load(o)
            |> m @ marker::insert_periodic(3);
        let mut b = a |> map(|x| x + 1);
    }
    assert_eq!((a.next(), b.next(), q.workers(), o.maxsize()), (Some(0), Some(3), 2, 4));
    assert_eq!(tinypl::pipeline! { range(9) |> process::map(|x| x + 1, workers = 1) |> count() }, 9);
    assert_eq!(tinypl::pipeline! { &mut b |> marker::until(m) |> count() }, 1);
}
