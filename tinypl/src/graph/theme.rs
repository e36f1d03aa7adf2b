//! What the pictures have in common: a colour for each kind of stage.
use super::Kind;

/// The colours of a box: as `#rrggbb`, dark text on a light ground.
pub(super) struct Tint {
    pub(super) fill: &'static str,
    pub(super) stroke: &'static str,
}

/// Of text: its contrast is above 13 : 1 on every fill.
pub(super) const INK: &str = "#1f2328";

impl Kind {
    pub(super) const ALL: [Kind; 7] = [
        Kind::Source,
        Kind::Stage,
        Kind::WorkerThreads,
        Kind::WorkerProcesses,
        Kind::Order,
        Kind::Marker,
        Kind::Shared,
    ];

    pub(super) fn tint(self) -> Tint {
        let (fill, stroke) = match self {
            Kind::Source => ("#eaf5ea", "#4c8f54"),
            Kind::Stage => ("#ffffff", "#8b949e"),
            Kind::WorkerThreads => ("#e6f1fd", "#2f74c0"),
            Kind::WorkerProcesses => ("#f1eafc", "#7c4fc4"),
            Kind::Order => ("#fdf3d8", "#b07d12"),
            Kind::Marker => ("#dff5f2", "#1f8a7d"),
            Kind::Shared => ("#fdeaf0", "#c14b76"),
        };
        Tint { fill, stroke }
    }
}
