import ComputeCore
import Diffusion
import TestSupport
import Testing
import Training

@Suite struct StyleValidationTests {
  /// A model that puts out `value` for pictures that are 1 everywhere has a loss of the distance's
  /// square.
  @Test func findsTheBestStepAndTheStall() throws {
    let unet = try tinyUNet()
    let objective = try DiffusionObjective(scheduler(.sample), .constant)
    var validation = StyleValidation(ConstantBatches(value: 1), objective, batchCount: 3)
    #expect(!validation.hasStalled(patience: 1), "nothing is measured yet")
    func measure(_ value: Float, step: Int) -> Bool {
      makeConstant(unet, value)
      return validation.measure(unet, step: step)
    }
    let improved = [measure(0, step: 0), measure(0.5, step: 10)]
    #expect(improved == [true, true])
    #expect(!validation.hasStalled(patience: 1))
    let isAsGood = measure(0.5, step: 20)
    #expect(!isAsGood, "as good is not better")
    #expect(validation.hasStalled(patience: 1))
    #expect(!validation.hasStalled(patience: 2))
    let isWorse = measure(0.25, step: 30)
    #expect(!isWorse)
    #expect(validation.hasStalled(patience: 2))
    let isBest = measure(0.75, step: 40)
    #expect(isBest)
    #expect(!validation.hasStalled(patience: 1))
    #expect(validation.bestStep == 40)
    #expect(validation.bestLoss == 0.0625)
    #expect(validation.history.map(\.step) == [0, 10, 20, 30, 40])
    #expect(validation.history.map(\.loss) == [1, 0.25, 0.25, 0.5625, 0.0625])
  }

  @Test func alwaysUsesTheSameNoise() throws {
    let unet = try tinyUNet()
    let objective = try DiffusionObjective(scheduler(.v), .minVelocitySNR)
    var validation = StyleValidation(ConstantBatches(value: 1), objective, batchCount: 2)
    let improved = [validation.measure(unet, step: 0), validation.measure(unet, step: 1)]
    #expect(improved == [true, false])
    #expect(validation.history[0].loss == validation.history[1].loss)
  }
}
