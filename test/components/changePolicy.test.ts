import assert from "node:assert/strict";
import fc from "fast-check";
import {
  acceptsRound,
  adopting,
  adoptsAnother,
  begins,
  type ChangeInputs,
  type ChangeState,
  isUnderWay,
  isWithdrawal,
  judgeChange,
  takesBackRound,
  withdrawn,
} from "../../components/changePolicy";

const A = "v1.35.4+rke2r1";
const B = "v1.36.3+rke2r1";
const C = "v1.37.2+rke2r1";
const owner = () => "owner-1";

/** The state after a series of allowed moves. */
function reached(...moves: ChangeInputs[]): ChangeState {
  let state: ChangeState | undefined;
  for (const move of moves) {
    const verdict = judgeChange(state, move, owner);
    assert.ok("attempt" in verdict, `refused: ${"reason" in verdict ? verdict.reason : ""}`);
    state = verdict;
  }
  assert.ok(state);
  return state;
}

function refusal(state: ChangeState, move: ChangeInputs): string {
  const verdict = judgeChange(state, move, owner);
  assert.ok("reason" in verdict, "allowed");
  return verdict.reason;
}

const at = (wanted: string, accepted: string, changeId = "CR-1", goBack = ""): ChangeInputs => ({
  wanted,
  accepted,
  changeId,
  goBack,
  round: "",
  acceptedRound: "",
});

/** Settled on A, with OS patches asked for under the first ID and accepted of the second. */
const patches = (round: string, acceptedRound = "", more: Partial<ChangeInputs> = {}): ChangeInputs => ({
  ...at(A, A, round || "CR-1"),
  round,
  acceptedRound,
  ...more,
});

describe("components/changePolicy", () => {
  it("adopts, goes forward, accepts and goes forward again", () => {
    const adopted = reached(at(A, A));
    assert.deepEqual([adopted.mode, adopted.attempt, adopted.from], ["adopt", 1, A]);
    const forward = reached(at(A, A), at(B, A));
    assert.deepEqual([forward.mode, forward.attempt, forward.from], ["forward", 2, A]);
    const accepted = reached(at(A, A), at(B, A), at(B, B));
    assert.deepEqual([accepted.mode, accepted.attempt, accepted.from], ["forward", 2, A]);
    const next = reached(at(A, A), at(B, A), at(B, B), at(C, B, "CR-2"));
    assert.deepEqual([next.attempt, next.from], [3, B]);
  });

  it("refuses both versions at once", () => {
    assert.match(
      refusal(reached(at(A, A)), at(B, B)),
      /without a way back.*Set acceptedVersion to v1\.35\.4/,
    );
  });

  it("refuses a third version while a change is under way", () => {
    assert.match(refusal(reached(at(A, A), at(B, A)), at(C, A)), /is under way/);
  });

  it("refuses the version set back while a change is under way", () => {
    assert.match(refusal(reached(at(A, A), at(B, A)), at(A, A)), /does not bring/);
  });

  it("refuses an accepted version that is not the wanted one", () => {
    assert.match(refusal(reached(at(A, A), at(B, A)), at(B, C)), /may only become rke2Version/);
  });

  it("refuses another change ID while a change is under way, since the snapshots bear it", () => {
    assert.match(refusal(reached(at(A, A), at(B, A)), at(B, A, "CR-2")), /Set changeId to CR-1/);
  });

  it("knows a withdrawal from every other move, and keeps what names its snapshots", () => {
    const under = reached(at(A, A), at(B, A));
    assert.ok(isWithdrawal(under, at(A, A)));
    for (const other of [at(C, A), at(B, B), at(A, B), at(A, A, "CR-2")])
      assert.ok(!isWithdrawal(under, other));
    assert.ok(!isWithdrawal(reached(at(A, A)), at(A, A)));
    const back = withdrawn(under);
    assert.deepEqual([back.wanted, back.from, back.movedUnder, back.attempt], [A, A, "CR-1", 3]);
  });

  it("knows another version to adopt from every other move, while none was accepted or gone back from", () => {
    const adopted = reached(at(B, B));
    for (const move of [at(A, A), at(C, C), at(A, A, "CR-2")]) assert.ok(adoptsAnother(adopted, move));
    for (const move of [at(B, B), at(B, A), at(C, B), patches("CR-2"), at(A, A, "CR-1", "restore")])
      assert.ok(!adoptsAnother(adopted, move));
    assert.match(refusal(adopted, at(B, A)), /both to what every node runs/);
    assert.match(refusal(adopted, at(A, A)), /both to what every node runs/);
    const again = adopting(adopted, at(A, A));
    assert.deepEqual([again.mode, again.attempt, again.from, again.wanted], ["adopt", 2, A, A]);
    assert.equal(again.owner, adopted.owner);
    // A stack whose very first move was a bump, from a version that nothing ran.
    const bumped = reached(at(C, B));
    assert.ok(adoptsAnother(bumped, at(A, A)));
    assert.ok(!adoptsAnother(bumped, at(A, A, "CR-2")), "what it took bears its ID");
    // Whatever it took is found by what it is from.
    assert.deepEqual([adopting(bumped, at(A, A)).from, adopting(bumped, at(A, A)).mode], [B, "forward"]);
    const changed = reached(at(A, A), at(B, A));
    for (const state of [changed, reached(at(A, A), at(B, A), at(B, B))]) {
      assert.ok(!adoptsAnother(state, at(C, C)));
      assert.doesNotMatch(refusal(state, at(C, C)), /adopted/);
    }
  });

  it("lets an acceptance be taken back, and asks its gates anew", () => {
    const forward = reached(at(A, A), at(B, A));
    const takenBack = reached(at(A, A), at(B, A), at(B, B), at(B, A));
    assert.deepEqual(takenBack, { ...forward, attempt: forward.attempt + 1 });
  });

  const back = (goBack: string, wanted = B) => at(wanted, A, "CR-1", goBack);
  const underWay = () => reached(at(A, A), at(B, A));

  it("goes back, is settled on what was accepted, and goes forward again as a new change", () => {
    const going = reached(at(A, A), at(B, A), back("restore"));
    assert.deepEqual([going.mode, going.attempt, going.from], ["back", 3, A]);
    const settled = reached(at(A, A), at(B, A), back("restore"), at(A, A));
    assert.deepEqual([settled.mode, settled.attempt, settled.movedUnder], ["back", 4, "CR-1"]);
    const again = reached(at(A, A), at(B, A), back("restore"), at(A, A), at(B, A, "CR-2"));
    assert.deepEqual([again.mode, again.attempt, again.movedUnder], ["forward", 5, "CR-2"]);
  });

  it("raises the attempt at every turn, so that no step's stored input is equal by accident", () => {
    const forth = reached(at(A, A), at(B, A), back("restore"), at(B, A), back("rollback"), back("restore"));
    assert.deepEqual([forth.mode, forth.attempt], ["back", 6]);
    const mended = reached(at(A, A), at(B, A), back("reinstall:proj-k8sw01"), at(B, A));
    assert.deepEqual([mended.mode, mended.attempt], ["forward", 4]);
    assert.equal(reached(at(A, A), at(B, A), back("reinstall:proj-k8sw01")).mode, "forward");
  });

  it("mends a node after the whole cluster went back, and is settled then, also where settling failed on it", () => {
    const whole = [at(A, A), at(B, A), back("restore")] as const;
    const mend = back("rollback:proj-k8sw01");
    assert.equal(reached(...whole, mend).mode, "back");
    assert.equal(reached(...whole, mend, at(A, A)).mode, "back");
    assert.equal(reached(...whole, at(A, A), mend, at(A, A)).mode, "back");
    assert.equal(reached(...whole, mend, at(B, A)).mode, "forward");
  });

  it("takes a way back up again that settling found undone", () => {
    const resumed = reached(at(A, A), at(B, A), back("restore"), at(A, A), back("restore"));
    assert.deepEqual([resumed.mode, resumed.attempt, resumed.wanted], ["back", 5, B]);
  });

  it("refuses to go back from nothing, and to turn and move at once", () => {
    assert.match(refusal(reached(at(A, A)), back("restore", A)), /nothing to go back from/);
    assert.match(refusal(reached(at(A, A)), back("restore")), /changed together/);
    assert.match(refusal(underWay(), back("restore", A)), /changed together.*Set rke2Version to v1\.36\.3/);
    assert.match(refusal(underWay(), at(B, B, "CR-1", "restore")), /goBack and acceptedVersion/);
    assert.match(refusal(underWay(), at(B, A, "CR-2", "restore")), /Set changeId to CR-1/);
    const mending = reached(at(A, A), at(B, A), back("reinstall:proj-k8sw01"));
    assert.match(refusal(mending, at(A, A)), /was unset and rke2Version set/);
    assert.match(refusal(reached(at(A, A), at(B, A), back("restore")), at(C, A)), /only at v1\.35\.4/);
    assert.match(
      refusal(reached(at(A, A), at(B, A), back("restore")), at(B, B, "CR-1", "restore")),
      /may only become/,
    );
    assert.ok("reason" in (judgeChange(undefined, back("restore"), owner) as object));
  });

  it("is no withdrawal while a way back is asked for", () => {
    assert.ok(!isWithdrawal(underWay(), back("restore", A)));
    assert.ok(!isWithdrawal(reached(at(A, A), at(B, A), back("restore")), at(A, A)));
  });

  it("begins a round of OS patches as a change of its own, accepts it, and begins the next under another ID", () => {
    const begun = reached(at(A, A), patches("CR-2"));
    assert.deepEqual([begun.mode, begun.attempt, begun.from, begun.movedUnder], ["forward", 2, A, "CR-2"]);
    assert.ok(isUnderWay(begun));
    assert.ok(acceptsRound(begun, patches("CR-2", "CR-2")));
    const accepted = reached(at(A, A), patches("CR-2"), patches("CR-2", "CR-2"));
    assert.deepEqual([isUnderWay(accepted), accepted.attempt], [false, 2]);
    const next = reached(at(A, A), patches("CR-2"), patches("CR-2", "CR-2"), patches("CR-3", "CR-2"));
    assert.deepEqual([next.attempt, next.movedUnder], [3, "CR-3"]);
    const bumped = { ...patches("CR-2", "CR-2", { changeId: "CR-4" }), wanted: B };
    assert.equal(reached(at(A, A), patches("CR-2"), patches("CR-2", "CR-2"), bumped).from, A);
  });

  it("refuses a round and a version at once, another round, another ID, and one that was accepted", () => {
    const under = reached(at(A, A), patches("CR-2"));
    assert.match(refusal(under, { ...patches("CR-2"), wanted: B }), /changed together/);
    assert.match(refusal(reached(at(A, A)), { ...patches("CR-2"), wanted: B }), /changed together/);
    assert.match(
      refusal(under, patches("CR-3", "", { changeId: "CR-2" })),
      /CR-2 are under way.*Set osPatch/s,
    );
    assert.match(refusal(under, patches("CR-2", "CR-9")), /are under way/);
    assert.match(
      refusal(under, patches("", "", { changeId: "CR-2" })),
      /under way, and packages do not go back/,
    );
    assert.match(refusal(under, patches("CR-2", "", { changeId: "CR-3" })), /Set changeId to CR-2/);
    const bumped = { ...patches("CR-2", "CR-2", { changeId: "CR-4" }), wanted: B };
    const later = reached(at(A, A), patches("CR-2"), patches("CR-2", "CR-2"), bumped, {
      ...bumped,
      accepted: B,
    });
    assert.match(
      refusal(later, { ...patches("CR-2"), wanted: B, accepted: B }),
      /were accepted, and are not the last change/,
    );
  });

  it("lets a round's acceptance be taken back as a version's, and asks its gates anew", () => {
    const begun = reached(at(A, A), patches("CR-2"));
    const accepted = reached(at(A, A), patches("CR-2"), patches("CR-2", "CR-2"));
    assert.ok(takesBackRound(accepted, patches("CR-2")));
    const takenBack = reached(at(A, A), patches("CR-2"), patches("CR-2", "CR-2"), patches("CR-2"));
    assert.deepEqual(takenBack, { ...begun, attempt: begun.attempt + 1 });
    assert.ok(!takesBackRound(accepted, patches("CR-3", "CR-2")));
    assert.match(
      refusal(accepted, patches("CR-2", "", { changeId: "CR-3" })),
      /were accepted, and are not the last/,
    );
  });

  it("tells the beginning of a change from its acceptance taken back, and from a way back taken up again", () => {
    const adopted = reached(at(A, A));
    for (const move of [at(B, A), patches("CR-2")]) assert.ok(begins(adopted, move));
    assert.ok(!begins(adopted, at(A, A, "CR-3")));
    const under = reached(at(A, A), at(B, A));
    for (const move of [at(B, A), at(B, B)]) assert.ok(!begins(under, move));
    assert.ok(!begins(reached(at(A, A), at(B, A), at(B, B)), at(B, A)));
    assert.ok(!begins(reached(at(A, A), patches("CR-2"), patches("CR-2", "CR-2")), patches("CR-2")));
    const settled = reached(at(A, A), at(B, A), at(B, A, "CR-1", "restore"), at(A, A));
    assert.ok(!begins(settled, at(B, A, "CR-1", "restore")));
    assert.ok(begins(settled, at(B, A)));
  });

  it("takes a round's whole way back up again that was given up too early, and no other round's", () => {
    const whole = patches("CR-2", "CR-1", { goBack: "rollback" });
    const givenUp = patches("CR-1", "CR-1", { changeId: "CR-2" });
    const moves = [patches("CR-1", "CR-1"), patches("CR-2", "CR-1"), whole, givenUp];
    const settled = reached(...moves);
    assert.deepEqual([settled.mode, isUnderWay(settled)], ["back", false]);
    const resumed = reached(...moves, whole);
    assert.deepEqual(
      [resumed.mode, resumed.attempt, resumed.round, isUnderWay(resumed)],
      ["back", settled.attempt + 1, "CR-2", true],
    );
    const refused = [
      { ...whole, goBack: "rollback:proj-k8sw01" },
      { ...whole, round: "CR-3" },
    ];
    for (const move of refused) assert.match(refusal(settled, move), /goBack and osPatch\.round/);
    assert.match(refusal(reached(at(A, A)), { ...whole, changeId: "CR-1" }), /changed together/);
    assert.equal(reached(...moves, whole, givenUp).mode, "back");
  });

  it("withdraws a round that touched no node, and takes one back as a whole and by nodes", () => {
    const under = reached(at(A, A), patches("CR-2"));
    const unset = patches("", "", { changeId: "CR-2" });
    assert.ok(isWithdrawal(under, unset));
    assert.ok(!isWithdrawal(under, patches("CR-2", "CR-2")));
    assert.deepEqual([withdrawn(under).round, isUnderWay(withdrawn(under))], ["", false]);
    const whole = patches("CR-2", "", { goBack: "rollback" });
    const back = reached(at(A, A), patches("CR-2"), whole);
    assert.deepEqual([back.mode, back.attempt], ["back", 3]);
    const ended = reached(at(A, A), patches("CR-2"), whole, unset);
    assert.deepEqual([ended.mode, ended.attempt, isUnderWay(ended)], ["back", 4, false]);
    const node = patches("CR-2", "", { goBack: "rollback:proj-k8sw01" });
    const mended = reached(at(A, A), patches("CR-2"), node, patches("CR-2"));
    assert.deepEqual([mended.mode, mended.attempt], ["forward", 4]);
    assert.match(refusal(reached(at(A, A), patches("CR-2"), node), unset), /goBack and osPatch\.round/);
    assert.match(refusal(back, patches("CR-2", "CR-2")), /goBack and osPatch\.round/);
  });

  it("keeps the owner for ever, never lowers the attempt, and raises it exactly when the direction changes", () => {
    const version = fc.constantFrom(A, B, C);
    const move = fc.record({
      wanted: version,
      accepted: version,
      changeId: fc.constantFrom("CR-1", "CR-2"),
      goBack: fc.constantFrom("", "", "restore", "reinstall:a"),
      round: fc.constantFrom("", "", "CR-1", "CR-2"),
      acceptedRound: fc.constantFrom("", "", "CR-1", "CR-2"),
    });
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 30 }), (moves) => {
        let state: ChangeState | undefined;
        for (const next of moves) {
          const verdict = judgeChange(state, next, () => (state ? "another" : "first"));
          if ("reason" in verdict) continue;
          assert.equal(verdict.owner, "first");
          if (state) {
            const began = !isUnderWay(state) && isUnderWay(verdict);
            const turned = began || verdict.wanted !== state.wanted || verdict.goBack !== state.goBack;
            assert.equal(verdict.attempt, state.attempt + (turned ? 1 : 0));
            // No version is left behind that was wanted and never accepted, but by a way back of the whole cluster.
            if (verdict.wanted !== state.wanted) {
              assert.ok(!isUnderWay(state) || (state.mode === "back" && verdict.wanted === state.accepted));
            }
            // Nor a round of OS patches.
            if (verdict.round !== state.round && isUnderWay(state) && state.wanted === state.accepted)
              assert.ok(state.mode === "back" && verdict.round === state.acceptedRound);
            // One change has one way back: a version and a round do not begin together.
            if (began) assert.ok(verdict.wanted === state.wanted || verdict.accepted !== verdict.wanted);
            // Nothing goes back while settled, and nothing is accepted on the way back.
            if (verdict.goBack) assert.ok(isUnderWay(verdict));
            // The accepted version moves only onto the wanted one, or back to where the change came from.
            if (verdict.accepted !== state.accepted) {
              assert.ok([verdict.wanted, state.from].includes(verdict.accepted));
            }
          }
          state = verdict;
        }
      }),
    );
  });
});
