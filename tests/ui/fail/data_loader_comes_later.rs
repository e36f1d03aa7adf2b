use tinypl::pipeline;

fn main() {
    let p = pipeline! { dataloader::load(vec![1, 2], batchsize = 32) |> map(|x| x.len()) };
    for x in p { println!("{x}") }
}
