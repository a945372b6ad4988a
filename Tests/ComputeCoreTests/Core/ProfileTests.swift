import ComputeCore
import Testing

@Suite struct ProfileTests {
  @Test func innerOperationsCountAsTheOuterOne() throws {
    let profile = Profile()
    let outer = profile.begin("outer", .forward)
    #expect(profile.begin("inner", .forward) == nil)
    outer?.end()
    profile.begin("inner", .backward)?.end()
    profile.begin("inner", .backward)?.end()
    let totals = profile.totals
    #expect(totals.count == 2)
    let outside = totals.first { $0.key.name == "outer" && $0.key.direction == .forward }
    #expect(outside?.value.calls == 1)
    let inner = try #require(totals.first { $0.key.direction == .backward }?.value)
    #expect(inner.calls == 2)
    #expect(
      inner.nanoseconds == profile.events.dropFirst().reduce(0) { $0 + $1.nanoseconds })
  }

  @Test func eventsFollowEachOther() throws {
    let profile = Profile()
    for name in ["a", "b"] { profile.begin(name, .forward)?.end() }
    let events = profile.events
    #expect(events.map(\.kind.name) == ["a", "b"] && events.allSatisfy { $0.thread == 0 })
    #expect(
      events[0].startNanoseconds + events[0].nanoseconds <= events[1].startNanoseconds)
    #expect(events[1].startNanoseconds <= profile.elapsedNanoseconds)
  }
}
