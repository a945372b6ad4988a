// # Train a classifier
//
// A classifier looks at a picture and says what is on it. This script teaches a small network to tell
// ten kinds of clothes apart, and writes out every part of the lesson: the network, the loss, the
// gradients and the update. Read it from top to bottom; every block of code is explained above it.
//
//     swift run -c release train-a-classifier
//
// It leaves four pictures: how the loss fell, how the accuracy rose, which classes get mixed up, and
// the mistakes that the network was most sure of.

import ComputeCore
import Datasets
import Evaluation
import NotebookSupport
import Plots

let notebook = Notebook(
  "train-a-classifier",
  options: [
    .init("epochs", 4, in: 1...1_000, "times that every picture is learnt from"),
    .init("batch", 128, in: 1...4_096, "pictures per step"),
  ])

// ## The pictures
//
// Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747) has 60,000 pictures to learn from and 10,000 to
// test with. Each has 28x28 grey pixels and one of ten labels. The network never learns from the test
// pictures: it could know the others by heart, and only new ones show what it has understood.

let train = notebook.pictures(.train)
let test = notebook.pictures(
  .test, size: train.height, channels: train.channels, count: max(10, notebook.count / 6))
guard let labels = train.labels, train.classNames == test.classNames else {
  Notebook.stop("these pictures have no classes; sort them into one folder per class")
}
let classes = train.classNames.count
print("\(train.count) pictures to learn from, \(test.count) to test with, \(classes) classes")

// ## The network
//
// A network is a function with many adjustable numbers, its parameters. Ours has six tensors of them:
// two convolutions, which look for small patterns everywhere in the picture, and one linear layer,
// which weighs what they found. Each has weights and a bias.
//
// A picture goes through it like this (N pictures at once, sizes for 28x28 pixels):
//
//     [N, 28, 28, 1]   pixels from -1 (black) to 1 (white)
//     [N, 28, 28, 32]  convolution 3x3, then ReLU: max(0, x)
//     [N, 14, 14, 32]  max pooling: the largest of each 2x2 block
//     [N, 14, 14, 64]  convolution 3x3, ReLU
//     [N, 7, 7, 64]    max pooling
//     [N, 3136]        flatten: all numbers of a picture in one row
//     [N, 10]          linear: one number per class, its logit
//
// This is the plan of LeNet (LeCun et al. 1998, "Gradient-based learning applied to document
// recognition") with ReLU.

struct Network {
  var parameters: [Tensor]

  // Weights start at random. Their spread is chosen so that numbers neither grow nor shrink on their
  // way through the layers: the standard deviation is √(2 / inputs of one output)
  // (He et al. 2015, arXiv:1502.01852, equation 10). Biases start at zero.
  init(for set: PictureSet, seed: UInt64) {
    var random = TorchGenerator(seed: seed)
    func weights(_ shape: Shape) -> Tensor {
      let inputs = shape.dropFirst().reduce(1, *)
      return Tensor.randn(shape, using: &random) * (2 / Float(inputs)).squareRoot()
    }
    let flat = (set.height / 4) * (set.width / 4) * 64
    parameters = [
      weights([32, 3, 3, set.channels]), Tensor.zeros([32]),
      weights([64, 3, 3, 32]), Tensor.zeros([64]),
      weights([set.classNames.count, flat]), Tensor.zeros([set.classNames.count]),
    ].map { $0.asVariable() }
    // `asVariable` says: remember what is computed from this, I will ask for gradients.
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let p = parameters
    var h = relu(conv2d(x, weight: p[0], bias: p[1], padding: Padding(1)))
    h = maxPool2d(h, size: 2, stride: 2)
    h = relu(conv2d(h, weight: p[2], bias: p[3], padding: Padding(1)))
    h = maxPool2d(h, size: 2, stride: 2)
    let flat = h.reshaped([x.shape[0], -1])
    return linear(flat, weight: p[4], bias: p[5])
  }
}

// ## The optimizer
//
// Gradients say in which direction each parameter makes the loss larger. Adam (Kingma and Ba 2015,
// arXiv:1412.6980, algorithm 1) goes the other way, and keeps two running means for every parameter:
// `m` of its gradients, so that the direction does not jump about, and `v` of their squares, by which
// it divides, so that all parameters move about equally fast. Both start at zero and would be too
// small at first; dividing by 1 - βᵗ makes up for that.
//
//     m ← β₁ m + (1 - β₁) g          v ← β₂ v + (1 - β₂) g²
//     p ← p - rate · (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)

struct Adam {
  let beta1: Float = 0.9
  let beta2: Float = 0.999
  let eps: Float = 1e-8
  var m: [Tensor]
  var v: [Tensor]
  // β₁ᵗ and β₂ᵗ.
  var power1: Float = 1
  var power2: Float = 1

  init(_ parameters: [Tensor]) {
    m = parameters.map { Tensor.zeros($0.shape) }
    v = m
  }

  mutating func update(_ parameters: inout [Tensor], _ gradients: Gradients, rate: Float) {
    power1 *= beta1
    power2 *= beta2
    for i in parameters.indices {
      guard let g = gradients[parameters[i]] else { continue }
      m[i] = m[i] * beta1 + g * (1 - beta1)
      v[i] = v[i] * beta2 + square(g) * (1 - beta2)
      let step = m[i] / (1 - power1) / (sqrt(v[i] / (1 - power2)) + eps)
      // `detached` cuts the new value off from how it was computed: the next step starts afresh.
      parameters[i] = (parameters[i].detached() - step * rate).asVariable()
    }
  }
}

// ## How sure it is of each class
//
// `softmax` turns logits into probabilities: exp(logit) of each class over the sum of all. Nothing is
// learnt here, so nothing has to be remembered for gradients.

func probabilities(_ network: Network, of set: PictureSet) -> [[Float]] {
  var rows: [[Float]] = []
  for start in stride(from: 0, to: set.count, by: 500) {
    let x = set.tensor(start..<min(set.count, start + 500))
    let values = Compute.withoutRecording { softmax(network(x)).values }
    let classes = set.classNames.count
    rows += (0..<x.shape[0]).map { Array(values[$0 * classes..<($0 + 1) * classes]) }
  }
  return rows
}

// The accuracy is the share of pictures whose most probable class is the right one.

func accuracy(_ network: Network, on set: PictureSet) -> Double {
  ConfusionMatrix(set, probabilities: probabilities(network, of: set)).accuracy
}

// ## The loop
//
// All of training is in these few lines, over and over: forward, loss, gradients, update.
//
// The loss is the cross-entropy: -ln of the probability that the network gives to the right class. It
// is 0 when it is certain and right, and ln 10 = 2.30 when it has no idea.
//
// Batches are shuffled anew in each epoch. The learning rate falls in a straight line to zero, so that
// the last steps are fine corrections.

var network = Network(for: train, seed: notebook.seed)
var adam = Adam(network.parameters)
let order = EpochOrder(seed: notebook.seed, count: train.count)
let batch = min(notebook["batch"], train.count)
let stepsPerEpoch = train.count / batch
let steps = notebook["epochs"] * stepsPerEpoch
var losses: [Double] = []
var accuracies: [(known: Double, new: Double)] = []

var progress = Progress(steps, "step")
for epoch in 0..<notebook["epochs"] {
  let shuffled = order.permutation(ofEpoch: epoch)
  for step in 0..<stepsPerEpoch {
    let chosen = shuffled[step * batch..<(step + 1) * batch]
    let x = train.tensor(chosen)
    let rightClasses = chosen.map { Int32(labels[$0]) }

    let logits = network(x)
    let loss = crossEntropy(logits, ids: rightClasses)
    let found = gradients(of: loss)
    let rate = 0.002 * (1 - Float(losses.count) / Float(steps))
    adam.update(&network.parameters, found, rate: rate)

    losses.append(Double(loss.item))
    progress.update(losses.count, "loss \(short(losses[losses.count - 1]))")
  }
  let (known, new) = (accuracy(network, on: train.prefix(test.count)), accuracy(network, on: test))
  accuracies.append((known, new))
  print("epoch \(epoch + 1): \(short(100 * new)) % of the test pictures are right")
}

// ## What came of it
//
// The loss of single batches jumps, for each has other pictures; the strong line is a running mean.

notebook.save(
  LineChart(
    [LineChart.Series("cross-entropy of a batch", y: losses, smoothing: 0.97)],
    title: "The loss falls", xLabel: "step", yLabel: "loss"
  ).image, as: "loss.png")

// What it gets right after each epoch. Where the line of the pictures that it learns from goes on
// rising and the one of the test pictures does not, it learns by heart: it overfits.

func line(_ name: String, _ values: [Double]) -> LineChart.Series {
  LineChart.Series(name, x: (1...values.count).map(Double.init), y: values.map { 100 * $0 })
}

notebook.save(
  LineChart(
    [
      line("pictures it learns from", accuracies.map(\.known)),
      line("test pictures", accuracies.map(\.new)),
    ],
    title: "What it gets right", xLabel: "epoch", yLabel: "accuracy in %"
  ).image, as: "accuracy.png")

// The confusion matrix has a row for each true class and a column for each answer. On the diagonal the
// network is right; the orange cells are what it mixes up. Shirts, T-shirts, pullovers and coats are
// hard to tell apart at 28x28 pixels, for people too.

let answers = probabilities(network, of: test)
let matrix = ConfusionMatrix(test, probabilities: answers)
notebook.save(
  matrix.picture(title: "\(short(100 * matrix.accuracy)) % right"), as: "confusion.png")

// The mistakes it was most sure of. Some are pictures that you would get wrong as well, and a few
// seem to have a wrong label.

if let sheet = mistakeSheet(test, probabilities: answers) {
  notebook.save(sheet, as: "mistakes.png")
}
notebook.finish()

// ## To try
//
// - `--epochs 1`, then `--epochs 10`: where does the accuracy stop rising?
// - `--count 1000`: how much is learnt from few pictures?
// - Take a `relu` away, or one of the convolutions. How much does each part matter?
// - `--data FOLDER` with a folder per class of your own pictures.
