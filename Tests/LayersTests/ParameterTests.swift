import ComputeCore
import Layers
import TestSupport
import Testing

@Suite struct ParameterTests {
  @Test func aParameterIsOneVariable() throws {
    let parameter = Parameter([2], .zeros)
    #expect(!parameter.isMaterialized)
    let found = gradients(of: (parameter.value * Tensor([3, 4], [2])).sum())
    #expect(try #require(found[parameter.value]).values == [3, 4])
    parameter.value = Tensor([5, 6], [2])
    #expect(found[parameter.value] == nil)
    #expect(parameter.value.values == [5, 6])
  }

  @Test func aFrozenParameterIsNotRecorded() {
    let parameter = Parameter([2], .ones)
    parameter.freeze()
    #expect(!parameter.value.isRecorded)
    parameter.value = Tensor([5, 6], [2])
    #expect(!parameter.value.isRecorded)
    parameter.unfreeze()
    #expect(parameter.value.isRecorded)
    #expect(parameter.value.values == [5, 6])
  }

  @Test func aBufferStaysFrozen() {
    let buffer = Parameter([1], .zeros, role: .buffer)
    buffer.unfreeze()
    #expect(buffer.isFrozen && !buffer.value.isRecorded)
  }

  @Test func kernelsTurnAndTurnBack() {
    let parameter = Parameter([2, 1, 3, 4], .zeros, layout: .convolution)
    #expect(parameter.checkpointShape == [2, 4, 1, 3])
    let stored = Tensor((0..<24).map { Float($0) }, [2, 4, 1, 3])
    parameter.value = parameter.fromCheckpoint(stored)
    // Memory [out, kh, kw, in]: the second number is the next input channel.
    #expect(parameter.value.values[1] == 3)
    #expect(parameter.checkpointValue.values == stored.values)
  }
}
