//! Runs, series and skipped tags -> lists as JSON, in pieces that are made once and cached in compressed form.
//!
//! A piece lists some runs, or some series of a large run. Published runs and series never change, so a piece is valid as long as its runs
//! or series are the same objects in memory, and a newly logged step makes only its own piece invalid. A series takes about 7 bytes in a
//! compressed piece. The pieces form one gzip file, or are decompressed for a client that does not accept gzip. Making a piece is a short
//! task on a separate thread, so lists do not delay other requests, and a list is made only as fast as its client reads it.

mod all_entries;
mod filtered_entries;
mod pieces;
mod writer;

pub(super) use self::{
    pieces::{ListKind, ListRequest, Lists},
    writer::{ContentEncoding, ListWriter},
};

#[cfg(test)]
mod tests {
    use std::{io::Read, sync::Arc};

    use flate2::read::GzDecoder;

    use super::{pieces::*, *};

    use crate::{
        catalog::{
            attempts::Attempts,
            snapshot::{
                Encoding, FileId, Form as SeriesForm, LogPosition, LoggedValue, Run, Series, Skipped,
                Snapshot,
            },
        },
        event::summary::ValueKind,
        listing::{run::RunJson, series::SeriesJson, skipped::SkippedTag},
        model::{Facts, role::Role},
        reader::spot::Spot,
        record::place::Place,
        server::wire::{self, query::Part},
        tensor::{dtype::DType, frames::Frames, shape::Shape},
        types::{RunName, Tag},
    };

    fn series(run: &RunName, tag: &Tag, number: u64) -> Arc<Series> {
        let place = Place { offset: number, len: 1 };
        let logged =
            LoggedValue { wall_time: None, file: FileId(0), spot: Spot::in_record(place, 0), number: 0 };
        let shape = Shape::new(&[3, 3, 1, 2]).unwrap();
        let form = SeriesForm { dtype: DType::Float32, shape, is_listed: false, frames: Frames::default() };
        let facts = Facts::unknown(tag.as_str());
        let facts = if number.is_multiple_of(3) { Facts { role: Role::Kernel, ..facts } } else { facts };
        Arc::new(Series {
            run: run.clone(),
            tag: tag.clone(),
            order: LogPosition {
                file: FileId(0),
                spot: Spot::in_record(Place { offset: number, len: 0 }, 0),
            },
            revision: 1,
            encoding: Encoding::Numbers,
            form: Ok(form),
            facts,
            steps: [(0, Attempts::new(logged))].into_iter().collect(),
            kept_steps: 0,
            not_kept: 0,
            rewrites: 0,
            axis: crate::reader::moment::Axis::Step,
            saved_in: None,
        })
    }

    /// Runs `000`, `001` and so on, with the given numbers of series, and in each one skipped tag.
    fn snapshot(n_series: &[usize]) -> Snapshot {
        let mut snapshot = Snapshot { revision: 7, loading: false, ..Snapshot::empty() };
        for (idx, n) in n_series.iter().enumerate() {
            let name = RunName::from(format!("{idx:03}"));
            let tags = (0..*n as u64).map(|number| (Tag::from(format!("layer{number}/kernel")), number));
            let mut run = Run { last_step: Some(0), ..Run::default() };
            run.series = tags.map(|(tag, number)| (tag.clone(), series(&name, &tag, number))).collect();
            run.skipped.insert(Tag::from("loss"), Skipped { kind: ValueKind::Scalar, count: 2 });
            snapshot.runs.insert(name, Arc::new(run));
        }
        snapshot
    }

    fn grown(snapshot: &Snapshot, run: &str) -> Snapshot {
        let mut grown = Snapshot { revision: snapshot.revision + 1, ..snapshot.clone() };
        let run = Arc::make_mut(grown.runs.get_mut(run).unwrap());
        run.last_step = Some(1);
        if let Some(tag) = run.series.keys().next().cloned() {
            Arc::make_mut(run.series.get_mut(&tag).unwrap()).rewrites += 1;
        }
        grown
    }

    fn lists() -> Arc<Lists> {
        Arc::new(Lists::new(64 << 20, 3))
    }

    fn all(kind: ListKind) -> ListRequest {
        ListRequest { kind, run: None, role: None, part: None }
    }

    fn written(
        lists: &Arc<Lists>,
        snapshot: &Snapshot,
        request: ListRequest,
        encoding: ContentEncoding,
    ) -> Vec<u8> {
        let mut writer = ListWriter::new(Arc::clone(lists), Arc::new(snapshot.clone()), request, encoding);
        let mut bytes = Vec::new();
        while let Some(some) = writer.next() {
            bytes.extend(some);
        }
        bytes
    }

    fn text(lists: &Arc<Lists>, snapshot: &Snapshot, request: ListRequest) -> String {
        String::from_utf8(written(lists, snapshot, request, ContentEncoding::Plain)).unwrap()
    }

    /// The entries of a list and how many there are in all.
    fn parsed(text: &str, list: &str) -> (Vec<serde_json::Value>, Option<u64>) {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        let serde_json::Value::Array(entries) = value[list].take() else { panic!("{text}") };
        (entries, value["total"].as_u64())
    }

    #[test]
    fn a_list_written_in_pieces_is_the_one_written_at_once() {
        let (snapshot, lists) = (snapshot(&[3, 700, 0, 1, 256, 257, 5]), lists());
        let of_all = snapshot.runs.values().flat_map(|run| run.shown_in_order());
        let series = of_all.map(|series| SeriesJson::of(series, 3)).collect();
        let expected = wire::SeriesList { revision: 7, series, total: None };
        assert_eq!(text(&lists, &snapshot, all(ListKind::Series)), serde_json::to_string(&expected).unwrap());
        let runs = snapshot.runs.iter().map(|(name, run)| RunJson::of(name.as_str(), run)).collect();
        let expected = wire::RunList { revision: 7, runs, total: None };
        assert_eq!(text(&lists, &snapshot, all(ListKind::Runs)), serde_json::to_string(&expected).unwrap());
        let of_all = snapshot.runs.iter().flat_map(|(name, run)| SkippedTag::all_of(name.as_str(), run));
        let expected = wire::SkippedList { skipped: of_all.collect(), total: None };
        assert_eq!(
            text(&lists, &snapshot, all(ListKind::Skipped)),
            serde_json::to_string(&expected).unwrap()
        );
        let nothing = Snapshot::empty();
        assert_eq!(text(&lists, &nothing, all(ListKind::Runs)), "{\"revision\":0,\"runs\":[]}");
    }

    #[test]
    fn a_gzip_file_holds_the_same_list() {
        let (snapshot, lists) = (snapshot(&[3, 700, 0, 1]), lists());
        for kind in [ListKind::Runs, ListKind::Series, ListKind::Skipped] {
            let mut unzipped = String::new();
            let file = written(&lists, &snapshot, all(kind), ContentEncoding::Gzip);
            GzDecoder::new(&file[..]).read_to_string(&mut unzipped).unwrap();
            assert_eq!(unzipped, text(&lists, &snapshot, all(kind)));
        }
    }

    #[test]
    fn what_was_made_is_kept_and_a_step_costs_its_own_piece_alone() {
        let (before, lists) = (snapshot(&[3; 1_000]), lists());
        let made_for = |snapshot: &Snapshot, kind| {
            let made = lists.pieces_made();
            let written = text(&lists, snapshot, all(kind));
            (lists.pieces_made() - made, written)
        };
        for kind in [ListKind::Runs, ListKind::Series, ListKind::Skipped] {
            let (made, first) = made_for(&before, kind);
            assert!(made > 10, "{made}");
            assert_eq!(made_for(&before, kind), (0, first));
            let after = grown(&before, "500");
            let (made, again) = made_for(&after, kind);
            assert_eq!(made, 1, "{kind:?}");
            assert_eq!(again, text(&super::tests::lists(), &after, all(kind)), "{kind:?}");
            let fewer = Snapshot { runs: after.runs.without("300"), ..after.clone() };
            assert!(made_for(&fewer, kind).0 <= 2, "{kind:?}");
        }
        let large = snapshot(&[10_000]);
        made_for(&large, ListKind::Series);
        assert_eq!(made_for(&grown(&large, "000"), ListKind::Series).0, 1);
    }

    #[test]
    fn two_who_ask_get_the_same_bytes() {
        let (snapshot, lists) = (snapshot(&[3]), lists());
        let items = PieceItems::Runs(
            snapshot.runs.iter().map(|(name, run)| (name.clone(), Arc::clone(run))).collect(),
        );
        let key = PieceKey {
            kind: ListKind::Runs,
            is_of_one_run: false,
            first_run: RunName::from("000"),
            first_entry: 0,
        };
        let [first, second] = [(); 2].map(|()| lists.piece(&key, &items));
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn parts_make_up_the_whole() {
        let (snapshot, lists) = (snapshot(&[3, 700, 0, 1, 5]), lists());
        for (kind, list) in
            [(ListKind::Runs, "runs"), (ListKind::Series, "series"), (ListKind::Skipped, "skipped")]
        {
            let (whole, none) = parsed(&text(&lists, &snapshot, all(kind)), list);
            assert_eq!(none, None);
            for limit in [1, 100, 300, 10_000] {
                let mut joined = Vec::new();
                for offset in (0..whole.len()).step_by(limit) {
                    let request = ListRequest { part: Some(Part { offset, limit }), ..all(kind) };
                    let (part, total) = parsed(&text(&lists, &snapshot, request), list);
                    assert!(part.len() <= limit);
                    assert_eq!(total, Some(whole.len() as u64));
                    joined.extend(part);
                    if limit == 1 && offset > 5 {
                        break;
                    }
                }
                assert_eq!(joined, whole[..joined.len()], "{list} {limit}");
            }
        }
    }

    #[test]
    fn one_run_and_one_role_can_be_chosen() {
        let (snapshot, lists) = (snapshot(&[3, 700, 0, 1]), lists());
        let request = ListRequest { run: Some(RunName::from("001")), ..all(ListKind::Series) };
        let (of_run, _) = parsed(&text(&lists, &snapshot, request.clone()), "series");
        assert_eq!((of_run.len(), of_run[0]["run"].as_str()), (700, Some("001")));
        let kernels = ListRequest { role: Some(Role::Kernel), ..request };
        let (kernels, total) = parsed(&text(&lists, &snapshot, kernels), "series");
        assert_eq!((kernels.len(), total), (234, None));
        assert!(kernels.iter().all(|series| series["role"] == "kernel"));
    }
}
