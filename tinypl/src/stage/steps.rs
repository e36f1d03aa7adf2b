//! What the stages that call a function for each item have in common: the three ways in which a signal reaches them. A
//! stage's own file says what becomes of one signal.

/// For a stage that gives one signal for each: `apply(signal, call, f)`, with the function in field `$f`.
macro_rules! one_for_one {
    ($apply:ident, $f:ident) => {
        #[inline]
        fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
            let signal = W::pull(&mut self.up)?;
            let number = self.up.number();
            Some($apply(signal, Call::by::<W>(&self.post, Some(number)), |x| self.$f.call_mut(x)))
        }

        #[inline]
        fn step(&self, local: &mut P::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
            let Some(signal) = self.up.step(local, signal, number)? else { return Ok(None) };
            Ok(Some($apply(signal, Call::by::<Watched>(&self.post, Some(number)), |x| self.$f.call(x))))
        }

        fn survey(&self, survey: &mut Survey) {
            self.up.survey(survey);
            survey.stage(&self.post).function::<F>();
        }

        #[inline]
        fn try_fold<B, C>(
            &mut self,
            init: B,
            mut fold: impl FnMut(B, Signal<Self>) -> ControlFlow<C, B>,
        ) -> ControlFlow<C, B> {
            let Self { up, $f, post, .. } = self;
            up.try_fold(init, |acc, signal| {
                fold(acc, $apply(signal, Call::by::<Unwatched>(post, None), |x| $f.call_mut(x)))
            })
        }

        #[inline]
        fn size_hint(&self) -> (usize, Option<usize>) {
            self.up.size_hint()
        }
    };
}
pub(super) use one_for_one;

/// For a stage that may discard a signal: `sift(signal, call, f)` gives what is left of it.
macro_rules! sifting {
    ($sift:ident, $f:ident) => {
        type Marker = P::Marker;
        type Tags = P::Tags;
        type Local = Counted<P::Local>;
        const INERT: bool = P::INERT;
        through!(bottom);
        through!(announce);
        through!(finish);

        #[inline]
        fn pull_by<W: Way>(&mut self) -> Pulled<Self> {
            loop {
                let signal = W::pull(&mut self.up)?;
                let number = self.up.number();
                let left = $sift(signal, Call::by::<W>(&self.post, Some(number)), |x| self.$f.call_mut(x));
                if let Some(left) = left {
                    self.given += u64::from(matches!(left, Envelope::Item(..)));
                    if W::WATCHED
                        && let Some(probe) = self.post.probe()
                    {
                        probe.has_given(self.given);
                    }
                    return Some(left);
                }
                // else LLVM may vectorise the search for the next item, which is 50 times slower where that is near
                std::hint::black_box(());
            }
        }

        #[inline]
        fn step(&self, local: &mut Self::Local, signal: Below<Self>, number: u64) -> Stepped<Self> {
            let Some(signal) = self.up.step(&mut local.above, signal, number)? else { return Ok(None) };
            let left = $sift(signal, Call::by::<Watched>(&self.post, Some(number)), |x| self.$f.call(x));
            if let Some(Envelope::Item(..)) = left {
                local.count(&self.post);
            }
            Ok(left)
        }

        fn survey(&self, survey: &mut Survey) {
            self.up.survey(survey);
            survey.stage(&self.post).function::<F>().sifts(self.given);
        }

        #[inline]
        fn try_fold<B, C>(
            &mut self,
            init: B,
            mut fold: impl FnMut(B, Signal<Self>) -> ControlFlow<C, B>,
        ) -> ControlFlow<C, B> {
            let Self { up, $f, post, .. } = self;
            up.try_fold(init, |acc, signal| {
                match $sift(signal, Call::by::<Unwatched>(post, None), |x| $f.call_mut(x)) {
                    Some(signal) => fold(acc, signal),
                    None => ControlFlow::Continue(acc),
                }
            })
        }

        #[inline]
        fn size_hint(&self) -> (usize, Option<usize>) {
            (0, self.up.size_hint().1)
        }
    };
}
pub(super) use sifting;
