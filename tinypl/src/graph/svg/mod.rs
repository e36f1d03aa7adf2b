//! The picture as SVG: measured (`shape`), laid out in layers (`layout`), painted (`paint`).
mod layout;
mod paint;
mod shape;

use super::Graph;
use layout::Link;
use shape::{Badges, Card};

impl Graph {
    /// The picture as SVG: a file that browsers and editors show, and that needs nothing else.
    ///
    /// Items flow from top to bottom. A box is a stage: what was written, its options, and its place in the source; its
    /// colour says who runs it, and a second box behind it that several do. On the edges stand the orders and markers
    /// that pass. The same graph gives the same text.
    ///
    /// ```
    /// use tinypl::pipeline;
    ///
    /// let pipe = pipeline! { range(9) |> map(|x| x + 1) };
    /// let svg = pipe.graph().to_svg();
    /// assert!(svg.starts_with("<svg xmlns="));
    /// assert!(svg.contains(">map</text>"));
    /// ```
    ///
    /// Lengths are in pixels of CSS. Texts are set in the reader's monospaced font, and browsers stretch them to the width
    /// that was reckoned for them (`textLength`): they fit, whichever it is. Elsewhere the font has to be monospaced. The ground is light, on
    /// dark pages, too.
    ///
    /// The layout is that of Sugiyama, Tagawa and Toda ("Methods for Visual Understanding of Hierarchical System
    /// Structures", 1981): layers by longest path, their order by barycentres, and the columns by Brandes and Köpf ("Fast
    /// and Simple Horizontal Coordinate Assignment", 2001). No edge crosses a box that it doesn't lead to.
    pub fn to_svg(&self) -> String {
        let cards: Vec<Card> = self.nodes.iter().map(Card::of).collect();
        let badges: Vec<Badges> = self.edges.iter().map(Badges::of).collect();
        let boxes: Vec<_> = cards.iter().map(|card| card.size).collect();
        let links: Vec<_> = (self.edges.iter().zip(&badges))
            .map(|(edge, badges)| Link { from: edge.from, to: edge.to, label: badges.size })
            .collect();
        let layout = layout::lay_out(&boxes, &links);
        paint::picture(&cards, &badges, &layout)
    }
}
