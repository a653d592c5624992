/**
 * Plain objects that are quick to fill.
 *
 * @module
 */

/** Constructor of plain objects. */
type PlainConstructor = new (fill: boolean) => Record<string, unknown>;

// Plain objects with room for more properties than `{}` has. V8 takes the room
// from the assignments it sees in a constructor, and what it then saw in use;
// an object that outgrows its room is slow to fill and slow to use.
function Room20(this: Record<string, number>, fill: boolean): void {
  if (!fill) return;
  this.p0 =
    this.p1 =
    this.p2 =
    this.p3 =
    this.p4 =
    this.p5 =
    this.p6 =
    this.p7 =
    this.p8 =
    this.p9 =
    this.p10 =
    this.p11 =
    this.p12 =
    this.p13 =
    this.p14 =
    this.p15 =
    this.p16 =
    this.p17 =
    this.p18 =
    this.p19 =
      0;
}
function Room40(this: Record<string, number>, fill: boolean): void {
  if (!fill) return;
  this.p0 =
    this.p1 =
    this.p2 =
    this.p3 =
    this.p4 =
    this.p5 =
    this.p6 =
    this.p7 =
    this.p8 =
    this.p9 =
    this.p10 =
    this.p11 =
    this.p12 =
    this.p13 =
    this.p14 =
    this.p15 =
    this.p16 =
    this.p17 =
    this.p18 =
    this.p19 =
    this.p20 =
    this.p21 =
    this.p22 =
    this.p23 =
    this.p24 =
    this.p25 =
    this.p26 =
    this.p27 =
    this.p28 =
    this.p29 =
    this.p30 =
    this.p31 =
    this.p32 =
    this.p33 =
    this.p34 =
    this.p35 =
    this.p36 =
    this.p37 =
    this.p38 =
    this.p39 =
      0;
}
function Room64(this: Record<string, number>, fill: boolean): void {
  if (!fill) return;
  this.p0 =
    this.p1 =
    this.p2 =
    this.p3 =
    this.p4 =
    this.p5 =
    this.p6 =
    this.p7 =
    this.p8 =
    this.p9 =
    this.p10 =
    this.p11 =
    this.p12 =
    this.p13 =
    this.p14 =
    this.p15 =
    this.p16 =
    this.p17 =
    this.p18 =
    this.p19 =
    this.p20 =
    this.p21 =
    this.p22 =
    this.p23 =
    this.p24 =
    this.p25 =
    this.p26 =
    this.p27 =
    this.p28 =
    this.p29 =
    this.p30 =
    this.p31 =
    this.p32 =
    this.p33 =
    this.p34 =
    this.p35 =
    this.p36 =
    this.p37 =
    this.p38 =
    this.p39 =
    this.p40 =
    this.p41 =
    this.p42 =
    this.p43 =
    this.p44 =
    this.p45 =
    this.p46 =
    this.p47 =
    this.p48 =
    this.p49 =
    this.p50 =
    this.p51 =
    this.p52 =
    this.p53 =
    this.p54 =
    this.p55 =
    this.p56 =
    this.p57 =
    this.p58 =
    this.p59 =
    this.p60 =
    this.p61 =
    this.p62 =
    this.p63 =
      0;
}
Room20.prototype = Room40.prototype = Room64.prototype = Object.prototype;
const Plain20 = Room20 as unknown as PlainConstructor;
const Plain40 = Room40 as unknown as PlainConstructor;
const Plain64 = Room64 as unknown as PlainConstructor;
for (let i = 0; i < 8; i++) {
  new Plain20(true), new Plain40(true), new Plain64(true);
}

/**
 * Makes an empty object.
 *
 * @param count How many keys and values are to come, together.
 * @returns The object, with room for them.
 */
export function makePlain(count: number): Record<string, unknown> {
  if (count <= 24 || count > 128) return {};
  return count <= 40
    ? new Plain20(false)
    : count <= 80
    ? new Plain40(false)
    : new Plain64(false);
}
