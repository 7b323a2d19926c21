//! Which of a camera's simulcast layers a page gets: PURE.

use minato_protocol::media::VideoWish;

/// One encoding of a camera, smallest first. A camera without simulcast has one, [`Layer::Whole`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Layer {
    /// rid `q`.
    Quarter,
    /// rid `h`.
    Half,
    /// rid `f`.
    Full,
    /// No rid.
    Whole,
}

impl Layer {
    /// Every layer, by size.
    pub(crate) const ALL: [Self; 4] = [Self::Quarter, Self::Half, Self::Full, Self::Whole];

    /// The layer of a rid; `None` for a name that was never agreed.
    pub(crate) fn of_rid(rid: Option<&str>) -> Option<Self> {
        match rid {
            None => Some(Self::Whole),
            Some("q") => Some(Self::Quarter),
            Some("h") => Some(Self::Half),
            Some("f") => Some(Self::Full),
            Some(_) => None,
        }
    }

    /// The rid of a layer.
    pub(crate) fn rid(self) -> Option<&'static str> {
        match self {
            Self::Quarter => Some("q"),
            Self::Half => Some("h"),
            Self::Full => Some("f"),
            Self::Whole => None,
        }
    }

    /// As an operator reads it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quarter => "quarter",
            Self::Half => "half",
            Self::Full => "full",
            Self::Whole => "whole",
        }
    }

    /// Place in [`Layer::ALL`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Quarter => 0,
            Self::Half => 1,
            Self::Full => 2,
            Self::Whole => 3,
        }
    }

    /// What it costs until that was measured, in bit/s.
    pub(crate) fn usual_bps(self) -> u64 {
        match self {
            Self::Quarter => 120_000,
            Self::Half | Self::Whole => 350_000,
            Self::Full => 1_000_000,
        }
    }

    fn within(self, wish: VideoWish) -> bool {
        match self {
            Self::Quarter => wish >= VideoWish::Quarter,
            Self::Half => wish >= VideoWish::Half,
            Self::Full => wish >= VideoWish::Full,
            Self::Whole => wish > VideoWish::Off,
        }
    }
}

/// The largest layer that flows and is not above the wish; if all that flow are above it, the
/// smallest of them. Nothing when nothing is wanted or nothing flows.
pub(crate) fn choose(wish: VideoWish, flowing: impl Fn(Layer) -> bool) -> Option<Layer> {
    if wish == VideoWish::Off {
        return None;
    }
    let fitting = Layer::ALL.into_iter().rev().find(|l| flowing(*l) && l.within(wish));
    fitting.or_else(|| Layer::ALL.into_iter().find(|l| flowing(*l)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Layer::{Full, Half, Quarter, Whole};

    #[test]
    fn the_largest_flowing_layer_within_the_wish_is_chosen() {
        let all = |_: Layer| true;
        let simulcast = |layer: Layer| layer != Whole;
        assert_eq!(choose(VideoWish::Half, simulcast), Some(Half));
        assert_eq!(choose(VideoWish::Full, simulcast), Some(Full));
        assert_eq!(choose(VideoWish::Half, |l| l == Quarter), Some(Quarter));
        assert_eq!(choose(VideoWish::Off, all), None);
    }

    #[test]
    fn a_picture_larger_than_wished_is_better_than_none() {
        assert_eq!(choose(VideoWish::Quarter, |l| l == Full), Some(Full));
        assert_eq!(choose(VideoWish::Quarter, |l| l == Whole), Some(Whole));
    }

    #[test]
    fn nothing_flows_nothing_is_chosen() {
        assert_eq!(choose(VideoWish::Full, |_| false), None);
    }

    #[test]
    fn a_rid_reads_back() {
        for layer in Layer::ALL {
            assert_eq!(Layer::of_rid(layer.rid()), Some(layer));
            assert_eq!(Layer::ALL[layer.index()], layer);
        }
        assert_eq!(Layer::of_rid(Some("x")), None);
    }
}
