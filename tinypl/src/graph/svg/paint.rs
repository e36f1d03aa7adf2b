//! The text of the SVG.
use super::super::theme::INK;
use super::layout::{Layout, Point, Route, Size};
use super::shape::{BADGE, Badge, Badges, Card, Font, Style};
use std::fmt::{self, Write};

const MARGIN: f64 = 24.0;
const GROUND: &str = "#fbfbfa";
const EDGE: &str = "#6e7781";
/// Less important than the rest; its contrast is still above 5 : 1 on every fill.
const GREY: &str = "#57606a";
const FONTS: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

pub(super) fn picture(cards: &[Card], badges: &[Badges], layout: &Layout) -> String {
    let mut svg = String::new();
    // a `String` takes whatever is written
    let _ = write_picture(&mut svg, cards, badges, layout);
    svg
}

fn write_picture(svg: &mut String, cards: &[Card], badges: &[Badges], layout: &Layout) -> fmt::Result {
    let (width, height) = (px(layout.size.width + 2.0 * MARGIN), px(layout.size.height + 2.0 * MARGIN));
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
    )?;
    writeln!(svg, "<title>A pipeline</title>")?;
    writeln!(svg, "<desc>{}</desc>", Escaped(&description(cards)))?;
    writeln!(svg, r#"<rect width="100%" height="100%" rx="10" fill="{GROUND}"/>"#)?;
    writeln!(svg, r#"<g transform="translate({MARGIN} {MARGIN})" font-family="{FONTS}" xml:space="preserve">"#)?;
    for route in &layout.routes {
        edge(svg, route)?;
    }
    for (badges, route) in badges.iter().zip(&layout.routes) {
        draw_gap(svg, badges.size, route.label)?;
        for badge in &badges.badges {
            draw_badge(svg, badge, route.label)?;
        }
    }
    for (card, middle) in cards.iter().zip(&layout.boxes) {
        draw_card(svg, card, *middle)?;
    }
    svg.write_str("</g>\n</svg>\n")
}

/// For those who don't see it.
fn description(cards: &[Card]) -> String {
    let title = |card: &Card| {
        let title = card.lines.iter().filter(|line| line.style == Style::Title);
        title.map(|line| line.text.as_str()).collect::<String>()
    };
    let titles: Vec<String> = cards.iter().map(title).collect();
    format!("Stages, upstream first: {}.", titles.join(", "))
}

/// Straight down within a layer, a curve between two; its tangents are vertical at both ends.
fn edge(svg: &mut String, route: &Route) -> fmt::Result {
    let head = super::layout::HEAD;
    write!(svg, r#"<path class="tinypl-edge" fill="none" stroke="{EDGE}" stroke-width="1.5" d="M{}"#, at(route.start))?;
    for turn in &route.turns {
        write!(svg, " V{}", px(turn.from.y))?;
        if px(turn.from.x) == px(turn.to.x) {
            continue;
        }
        let middle = f64::midpoint(turn.from.y, turn.to.y);
        let (first, second) = (Point { y: middle, ..turn.from }, Point { y: middle, ..turn.to });
        write!(svg, " C{} {} {}", at(first), at(second), at(turn.to))?;
    }
    writeln!(svg, r#" V{}"/>"#, px(route.end.y - head / 2.0))?;
    writeln!(svg, r#"<path fill="{EDGE}" d="M{} l-4 -{head} h8 z"/>"#, at(route.end))
}

/// The edge is interrupted where its badges stand: it would be seen between them.
fn draw_gap(svg: &mut String, size: Size, label: Point) -> fmt::Result {
    if size == Size::default() {
        return Ok(());
    }
    let (x, y, width, height) = (px(label.x - size.width / 2.0), px(label.y), px(size.width), px(size.height));
    writeln!(svg, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{GROUND}"/>"#)
}

fn draw_badge(svg: &mut String, badge: &Badge, label: Point) -> fmt::Result {
    let corner = Point { x: label.x + badge.x, y: label.y + badge.y };
    let tint = badge.kind.tint();
    rect(svg, "badge", corner, badge.size, badge.size.height / 2.0, (tint.fill, tint.stroke))?;
    // its glyphs may be narrower than reckoned
    let middle = Point { x: corner.x + badge.size.width / 2.0, y: corner.y + 0.7 * BADGE.leading };
    text(svg, &badge.text, BADGE, r#" text-anchor="middle""#, middle)
}

fn draw_card(svg: &mut String, card: &Card, middle: Point) -> fmt::Result {
    let tint = card.kind.tint();
    let corner = Point { x: middle.x - card.front.width / 2.0, y: middle.y };
    let depth = card.depth();
    if depth > 0.0 {
        let behind = Point { x: corner.x + depth, y: corner.y + depth };
        rect(svg, "behind", behind, card.front, card.radius(), (tint.fill, tint.stroke))?;
    }
    rect(svg, "box", corner, card.front, card.radius(), (tint.fill, tint.stroke))?;
    for line in &card.lines {
        let style = match line.style {
            Style::Title => r#" font-weight="600""#.to_owned(),
            Style::Options => String::new(),
            Style::Place => format!(r#" fill="{GREY}""#),
        };
        text(svg, &line.text, line.font, &style, Point { x: corner.x + line.x, y: corner.y + line.y })?;
    }
    Ok(())
}

fn rect(svg: &mut String, class: &str, corner: Point, size: Size, radius: f64, colours: (&str, &str)) -> fmt::Result {
    let (x, y, width, height) = (px(corner.x), px(corner.y), px(size.width), px(size.height));
    let (fill, stroke) = colours;
    writeln!(
        svg,
        r#"<rect class="tinypl-{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="{fill}" stroke="{stroke}" stroke-width="1.25"/>"#
    )
}

fn text(svg: &mut String, text: &str, font: Font, style: &str, at: Point) -> fmt::Result {
    let (x, y, size, width) = (px(at.x), px(at.y), px(font.size), px(font.width(text)));
    let fill = if style.contains("fill") { String::new() } else { format!(r#" fill="{INK}""#) };
    let text = Escaped(text);
    writeln!(
        svg,
        r#"<text x="{x}" y="{y}" font-size="{size}" textLength="{width}" lengthAdjust="spacingAndGlyphs"{fill}{style}>{text}</text>"#
    )
}

fn at(point: Point) -> String {
    format!("{} {}", px(point.x), px(point.y))
}

/// To a tenth of a pixel, without a needless `.0`.
fn px(length: f64) -> f64 {
    // no `-0`
    (length * 10.0).round() / 10.0 + 0.0
}

/// As text of XML.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
