use tinypl::pipeline;

fn main() {
    let yes = true;
    let _ = pipeline! { dataloader::load(vec![Ok::<_, String>(1)], 4, fallible = yes) };
}
