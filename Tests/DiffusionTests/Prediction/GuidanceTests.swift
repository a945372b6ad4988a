import ComputeCore
import Diffusion
import Testing

@Suite struct GuidanceTests {
  @Test func guidanceEqualsDiffusers() throws {
    let fixture = try Fixture("guidance")
    let conditional = try fixture.tensor("conditional")
    let unconditional = try fixture.tensor("unconditional")
    let plain = guided(conditional: conditional, unconditional: unconditional, scale: 7.5)
    expectClose(plain, try fixture.tensor("output"), absolute: 1e-5)
    let rescaled = guided(
      conditional: conditional, unconditional: unconditional, scale: 7.5, rescale: 0.7)
    expectClose(rescaled, try fixture.tensor("rescaled"), absolute: 1e-5)
  }

  @Test func scaleOneIsTheConditionalOutput() {
    let (a, b) = (Tensor([1, 2, 3, 5], [1, 2, 2, 1]), Tensor([0.5, 0, -1, 2], [1, 2, 2, 1]))
    expectClose(guided(conditional: a, unconditional: b, scale: 1), a)
    expectClose(guided(conditional: a, unconditional: b, scale: 0), b)
  }
}
