/**
 * Images of the same axes on one card move together: window and cursor of one are those of all.
 *
 * That is done here and not in Python: a kernel at work, or none, is no reason to wait. Python is told
 * of each window by the scales, as of any other.
 */

import type { Axes } from "../page/settings";
import { isWhole, type Window } from "../picture/geometry";
import type { Spot } from "./spot";

export interface Member {
  axes: Axes;
  isLinked(): boolean;
  /** Show where the pointer is on another one of them. */
  point(at: Spot | null): void;
}

/** By card, then by what the axes are. */
const GROUPS = new WeakMap<Element, Map<string, Group>>();

/** Return the images on a card that have these axes. */
export function groupOf(card: Element, axes: string): Group {
  const groups = GROUPS.get(card) ?? new Map<string, Group>();
  GROUPS.set(card, groups);
  const group = groups.get(axes) ?? new Group();
  groups.set(axes, group);
  return group;
}

export class Group {
  /** With the window that each had last. */
  private readonly members = new Map<Member, Window>();
  private isMoving = false;

  /** How many images there are beside one of them. */
  get others(): number {
    return this.members.size - 1;
  }

  join(member: Member, [ny, nx]: readonly [number, number], signal: AbortSignal): void {
    const first = member.axes.get();
    const there = [...this.members.keys()].filter((each) => each.isLinked());
    this.members.set(member, first);
    signal.addEventListener("abort", () => this.members.delete(member));
    member.axes.onChange(() => this.lead(member), signal);
    // Whoever comes last begins where the others are; unless they all show everything.
    const shown = there.map((each) => each.axes.get()).find((each) => !isWhole(each, nx, ny));
    if (!member.isLinked()) return;
    if (shown && isWhole(first, nx, ny)) this.move(member, shown);
    else if (!shown && !isWhole(first, nx, ny)) this.spread(member);
  }

  /** Have the others show what this one shows, as when it begins to be linked. */
  spread(leader: Member): void {
    const window = leader.axes.get();
    for (const member of this.linkedTo(leader)) this.move(member, window);
  }

  /** Show the pointer on the others. */
  point(leader: Member, at: Spot | null): void {
    for (const member of this.linkedTo(leader)) member.point(at);
  }

  private lead(leader: Member): void {
    const before = this.members.get(leader);
    const window = leader.axes.get();
    this.members.set(leader, window);
    // A figure that comes says so as well, though nothing has moved.
    if (this.isMoving || !leader.isLinked() || !before || isSame(before, window)) return;
    this.spread(leader);
  }

  private linkedTo(leader: Member): Member[] {
    if (!leader.isLinked()) return [];
    return [...this.members.keys()].filter((each) => each !== leader && each.isLinked());
  }

  private move(member: Member, window: Window): void {
    if (isSame(member.axes.get(), window)) return;
    const before = this.isMoving;
    this.isMoving = true;
    try {
      member.axes.set(window);
    } finally {
      this.isMoving = before;
    }
  }
}

function isSame(a: Window, b: Window): boolean {
  return a.x0 === b.x0 && a.x1 === b.x1 && a.y0 === b.y0 && a.y1 === b.y1;
}
