//! An SVG, read again: where everything in it lies.
use roxmltree::{Document, Node};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    pub(super) fn holds(&self, inner: &Rect) -> bool {
        self.left <= inner.left && inner.right <= self.right && self.top <= inner.top && inner.bottom <= self.bottom
    }

    pub(super) fn overlaps(&self, other: &Rect) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// What lies on its border doesn't lie within.
    pub(super) fn strictly_holds(&self, (x, y): (f64, f64)) -> bool {
        const TENTH: f64 = 0.1;
        self.left + TENTH < x && x < self.right - TENTH && self.top + TENTH < y && y < self.bottom - TENTH
    }

    fn around(&self, other: &Rect) -> Rect {
        Rect {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub(super) ground: Option<Rect>,
    /// Of stages, with what stands out behind.
    pub(super) boxes: Vec<Rect>,
    pub(super) badges: Vec<Rect>,
    pub(super) texts: Vec<(String, Rect)>,
    /// As many points.
    pub(super) edges: Vec<Vec<(f64, f64)>>,
}

impl Drawn {
    pub(super) fn new(svg: &str) -> Drawn {
        let document = Document::parse(svg).expect("XML");
        let root = document.root_element();
        let mut drawn = Drawn::default();
        let view: Vec<f64> = numbers(root.attribute("viewBox").expect("a viewBox"));
        let margin = root.children().find_map(|node| node.attribute("transform")).map(numbers).expect("a margin");
        drawn.ground =
            Some(Rect { left: -margin[0], top: -margin[1], right: view[2] - margin[0], bottom: view[3] - margin[1] });
        let mut behind = None;
        for node in root.descendants() {
            match (node.tag_name().name(), node.attribute("class")) {
                ("rect", Some("tinypl-behind")) => behind = Some(rect(node)),
                ("rect", Some("tinypl-box")) => {
                    let front = rect(node);
                    drawn.boxes.push(behind.take().map_or(front, |behind| front.around(&behind)));
                }
                ("rect", Some("tinypl-badge")) => drawn.badges.push(rect(node)),
                ("path", Some("tinypl-edge")) => drawn.edges.push(points(node.attribute("d").expect("a path"))),
                ("text", _) => drawn.texts.push((node.text().unwrap_or_default().to_owned(), text(node))),
                _ => {}
            }
        }
        drawn
    }
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name} of {node:?}"))
}

fn numbers(text: &str) -> Vec<f64> {
    text.split([' ', '(', ')']).filter_map(|part| part.parse().ok()).collect()
}

fn rect(node: Node<'_, '_>) -> Rect {
    let (left, top) = (number(node, "x"), number(node, "y"));
    Rect { left, top, right: left + number(node, "width"), bottom: top + number(node, "height") }
}

/// From the highest letters to the lowest ones: 0.95 em and 0.25 em from the line.
fn text(node: Node<'_, '_>) -> Rect {
    let (x, y, size, width) =
        (number(node, "x"), number(node, "y"), number(node, "font-size"), number(node, "textLength"));
    let left = if node.attribute("text-anchor") == Some("middle") { x - width / 2.0 } else { x };
    Rect { left, top: y - 0.95 * size, right: left + width, bottom: y + 0.25 * size }
}

/// Points on a path of `M`, `V` and `C`, close to one another.
fn points(path: &str) -> Vec<(f64, f64)> {
    const STEPS: u32 = 64;
    let mut points: Vec<(f64, f64)> = Vec::new();
    for command in split_before_letters(path) {
        let n = numbers(&command[1..]);
        let last = points.last().copied().unwrap_or_default();
        let step = |at: u32| f64::from(at) / f64::from(STEPS);
        match command.chars().next() {
            Some('M') => points.push((n[0], n[1])),
            Some('V') => points.extend((1..=STEPS).map(|at| (last.0, last.1 + (n[0] - last.1) * step(at)))),
            Some('C') => points.extend((1..=STEPS).map(|at| {
                let along = |axis: usize, from: f64| bezier([from, n[axis], n[2 + axis], n[4 + axis]], step(at));
                (along(0, last.0), along(1, last.1))
            })),
            other => panic!("{other:?} in {path}"),
        }
    }
    points
}

fn split_before_letters(path: &str) -> Vec<&str> {
    let starts: Vec<usize> = path.match_indices(|c: char| c.is_ascii_alphabetic()).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([path.len()]);
    starts.iter().zip(ends).map(|(start, end)| path[*start..end].trim()).collect()
}

fn bezier(p: [f64; 4], t: f64) -> f64 {
    let u = 1.0 - t;
    u * u * u * p[0] + 3.0 * u * u * t * p[1] + 3.0 * u * t * t * p[2] + t * t * t * p[3]
}
