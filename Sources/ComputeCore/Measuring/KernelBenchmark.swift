/// A product of a network's layer on random numbers, for comparing kernels with the limit of the
/// CPU and with other programs.
package struct KernelBenchmark: Sendable {
  /// What is computed.
  package enum Layer: Sendable {
    /// `[rows, inputs]` by `[inputs, outputs]`.
    case linear(rows: Int, inputs: Int, outputs: Int)
    /// A square kernel over `[images, side, side, inputs]`, padded so that the size stays.
    case convolution(kernel: Int, inputs: Int, outputs: Int, side: Int, images: Int)
  }

  /// How much of it.
  package enum Pass: String, Sendable {
    /// The result, with a frozen weight that was packed before.
    case forward
    /// The result and its gradients by input and weight, as training does.
    case training = "forward+backward"
  }

  /// What is computed.
  package let layer: Layer
  /// How much of it.
  package let pass: Pass

  /// A layer with a pass.
  package init(_ layer: Layer, _ pass: Pass = .forward) {
    (self.layer, self.pass) = (layer, pass)
  }

  /// Such as `conv3x3 320@64x64 b2`: input channels, size and batch.
  package var name: String {
    switch layer {
    case .linear(let rows, let inputs, let outputs):
      return "linear \(rows)x\(inputs)x\(outputs)"
    case .convolution(let kernel, let inputs, let outputs, let side, let images):
      let channels = inputs == outputs ? "\(inputs)" : "\(inputs)-\(outputs)"
      return "conv\(kernel)x\(kernel) \(channels)@\(side)x\(side) b\(images)"
    }
  }

  /// Floating-point operations of the direct method, whatever the kernel does; a multiply-add is
  /// two, and each of the two gradients costs as much as the result.
  package var operations: Double {
    let forward: Double
    switch layer {
    case .linear(let rows, let inputs, let outputs):
      forward = 2 * Double(rows) * Double(inputs) * Double(outputs)
    case .convolution(let kernel, let inputs, let outputs, let side, let images):
      let pixels = Double(images * side * side)
      forward = 2 * pixels * Double(inputs) * Double(outputs) * Double(kernel * kernel)
    }
    return pass == .forward ? forward : 3 * forward
  }

  /// Times it under the settings in force, with activations in the type of the factors.
  package func measure(_ repeats: Timing.Repeats) -> Timing {
    var generator = TorchGenerator(seed: 1)
    let x = Tensor.randn(inputShape, using: &generator).cast(to: Compute.factorType)
    let weight = Tensor.randn(weightShape, using: &generator) * 0.05
    let bias = Tensor.randn([weightShape[0]], using: &generator)
    guard pass == .training else {
      return Timing(repeats) { _ = Compute.withoutRecording { apply(x, weight, bias) } }
    }
    let shape = Compute.withoutRecording { apply(x, weight, bias) }.shape
    let dy = Tensor.randn(shape, using: &generator).cast(to: Compute.factorType)
    return Timing(repeats) {
      // New values in every step, as an optimizer makes them: nothing packed can be kept.
      let (input, learnt) = (x.asVariable(), weight.asVariable())
      let gradients = gradients(of: apply(input, learnt, bias), seed: dy)
      precondition(gradients[input] != nil && gradients[learnt] != nil)
    }
  }

  private var inputShape: Shape {
    switch layer {
    case .linear(let rows, let inputs, _): [rows, inputs]
    case .convolution(_, let inputs, _, let side, let images): [images, side, side, inputs]
    }
  }

  private var weightShape: Shape {
    switch layer {
    case .linear(_, let inputs, let outputs): [outputs, inputs]
    case .convolution(let kernel, let inputs, let outputs, _, _): [outputs, kernel, kernel, inputs]
    }
  }

  private func apply(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    switch layer {
    case .linear: linear(x, weight: weight, bias: bias, output: Compute.factorType)
    case .convolution(let kernel, _, _, _, _):
      conv2d(
        x, weight: weight, bias: bias, padding: Padding(kernel / 2), output: Compute.factorType)
    }
  }

  /// Thirteen layers of Stable Diffusion 1.5 and of the small U-Net, then training steps of two.
  package static let standard: [KernelBenchmark] = [
    KernelBenchmark(.linear(rows: 8192, inputs: 320, outputs: 320)),
    KernelBenchmark(.linear(rows: 8192, inputs: 320, outputs: 2560)),
    KernelBenchmark(.linear(rows: 512, inputs: 1280, outputs: 10240)),
    KernelBenchmark(.linear(rows: 2048, inputs: 640, outputs: 5120)),
    KernelBenchmark(.linear(rows: 2048, inputs: 2560, outputs: 640)),
    KernelBenchmark(.convolution(kernel: 1, inputs: 640, outputs: 640, side: 32, images: 2)),
    KernelBenchmark(.convolution(kernel: 3, inputs: 4, outputs: 320, side: 64, images: 2)),
    KernelBenchmark(.convolution(kernel: 3, inputs: 320, outputs: 320, side: 64, images: 2)),
    KernelBenchmark(.convolution(kernel: 3, inputs: 640, outputs: 640, side: 32, images: 2)),
    KernelBenchmark(.convolution(kernel: 3, inputs: 1280, outputs: 1280, side: 16, images: 2)),
    KernelBenchmark(.convolution(kernel: 3, inputs: 2560, outputs: 1280, side: 8, images: 2)),
    KernelBenchmark(.convolution(kernel: 3, inputs: 128, outputs: 128, side: 32, images: 64)),
    KernelBenchmark(.convolution(kernel: 3, inputs: 256, outputs: 256, side: 16, images: 64)),
    KernelBenchmark(
      .convolution(kernel: 3, inputs: 128, outputs: 128, side: 32, images: 64), .training),
    KernelBenchmark(
      .convolution(kernel: 3, inputs: 256, outputs: 256, side: 16, images: 64), .training),
  ]
}
