// # A GAN on Fashion-MNIST
//
// Two networks play a game. The generator makes pictures from noise. The discriminator looks at
// pictures and says how real they seem. The discriminator learns to tell real pictures from made ones,
// the generator learns to make pictures that the discriminator takes for real, and as both get better
// so do the pictures (Goodfellow et al. 2014, arXiv:1406.2661). This script is the smallest such game
// that works well; read it from top to bottom.
//
//     swift run -c release gan-on-fashion-mnist
//
// It leaves sheets of made pictures before and after, an animation of how they came to be, and charts
// of both losses and of the discriminator's opinions.

import ComputeCore
import Datasets
import Foundation
import GAN
import ImageIO
import Layers
import NotebookSupport
import Plots
import Training

let notebook = Notebook(
  "gan-on-fashion-mnist",
  options: [
    .init("steps", 2_800, in: 1...1_000_000, "updates of both networks"),
    .init("batch", 32, in: 2...4_096, "real pictures per step, and as many made ones"),
    .init("channels", 32, in: 1...512, "width of the networks at their largest level"),
  ], leastPictures: 2)

// ## The pictures and their classes
//
// Each picture has 28x28 grey pixels from -1 (black) to 1 (white), and a class such as "Sneaker". Both
// networks are told the class: the generator makes what it is asked for, and the discriminator judges
// a picture as one of its class. Pictures without classes work too; then every label is 0.

let data = notebook.pictures(.train)
let labels = data.labels?.map(Int32.init) ?? [Int32](repeating: 0, count: data.count)
print("\(data.count) pictures, \(data.classNames.count) classes")

// ## Two networks
//
// The generator starts from 64 random numbers (its noise, written z) and a class, makes a tiny picture
// with many channels of them, and enlarges it step by step. The discriminator is the same turned round
// and ends in one number, the logit: large means "real". Both are built of residual blocks of two 3x3
// convolutions without any normalisation, as in R3GAN (Huang et al. 2024, arXiv:2501.05441, section 4);
// `Sources/GAN/Generator.swift` and `Discriminator.swift` have 70 lines each.

var config = GANConfig()
config.sampleSize = data.height
config.channels = data.channels
config.classNames = data.classNames
config.baseChannels = notebook["channels"]
config.maxChannels = 4 * config.baseChannels

guard let generator = try? Generator(config), let discriminator = try? Discriminator(config) else {
  Notebook.stop("no networks for pictures of \(data.height) pixels; 28, 32 and 64 work")
}
var random = TorchGenerator(seed: notebook.seed)
generator.initializeForTraining(using: &random)
discriminator.initializeForTraining(using: &random)
print("generator: \(generator.parameterCount) parameters")
print("discriminator: \(discriminator.parameterCount) parameters")

// ## Their optimizers
//
// Adam, as in `train-a-classifier`, with two changes that games need. The running mean of gradients is
// switched off (β₁ = 0): the other network has moved on, so old directions mislead. And the generator
// keeps a running mean of its parameters, from which we draw: single states wobble around the middle
// of the game, their mean is closer to it (Yazıcı et al. 2018, arXiv:1806.04498).

var settings = AdamW.Config()
(settings.beta1, settings.beta2, settings.weightDecay) = (0, 0.99, 0)
(settings.maxGradientNorm, settings.emaDecay) = (nil, nil)
let discriminatorAdam = AdamW(discriminator.namedParameters(), settings)
settings.emaDecay = 0.995
let generatorAdam = AdamW(generator.namedParameters(), settings)

// ## The discriminator's turn
//
// It sees real pictures x and made ones G(z), each pair of the same class, and is to give the real one
// the larger logit. Its loss is softplus(D(G(z)) - D(x)), averaged over the pairs, where softplus(t) =
// ln(1 + eᵗ) is near 0 for very negative t and near t for large ones. Only the difference counts, so
// that every made picture is compared with a real one of its kind: a relativistic loss
// (Jolicoeur-Martineau 2018, arXiv:1807.00734; R3GAN, equation 2).
//
// Left alone the discriminator becomes a cliff: certain everywhere, and flat where the generator looks
// for a way up. So its steepness is punished: how much the logit changes when a pixel does, squared
// and summed over the pixels, at real pictures (R1; Mescheder et al. 2018, arXiv:1801.04406, equation
// 9) and at made ones (R2; Roth et al. 2017, arXiv:1705.09367):
//
//     loss = mean softplus(D(G(z)) - D(x)) + γ/2 · mean ‖∇D(x)‖² + γ/2 · mean ‖∇D(G(z))‖²
//
// The penalty is made of gradients, and the update needs the gradient of the penalty.
// `recordedGradients` therefore records how the gradients are computed, so that the tape can be run
// backwards over them once more.

struct Turn {
  var loss: Float
  var realLogit: Float = 0
  var fakeLogit: Float = 0
}

func teach(
  _ discriminator: Discriminator, with adam: AdamW, real: Tensor, fake: Tensor, labels: [Int32],
  gamma: Float, rate: Float
) -> Turn {
  let x = real.asVariable()
  let y = fake.asVariable()
  let onReal = discriminator(x, labels: labels)
  let onFake = discriminator(y, labels: labels)
  let game = softplus(onFake - onReal).mean()

  let steepness = meanSquaredSteepness(onReal, by: x) + meanSquaredSteepness(onFake, by: y)
  let found = gradients(of: game + steepness * (gamma / 2))
  _ = adam.update(adam.parameters.map { found[$0.parameter.value] }, learningRate: rate)
  return Turn(loss: game.item, realLogit: onReal.mean().item, fakeLogit: onFake.mean().item)
}

// A logit depends on its own picture only. So the gradient of their sum, by all pictures, holds the
// gradient of each logit by its picture.

func meanSquaredSteepness(_ logits: Tensor, by pictures: Tensor) -> Tensor {
  guard let gradient = recordedGradients(of: logits.sum(), by: [pictures])[0] else {
    Notebook.stop("the logits do not depend on the pictures")
  }
  return square(gradient).sum(axes: [1, 2, 3]).mean()
}

// softplus(t) = max(0, t) + ln(1 + e^-|t|), which is the same number but never too large for exp.

func softplus(_ t: Tensor) -> Tensor {
  relu(t) + log(1 + exp(-abs(t)))
}

// ## The generator's turn
//
// It wants the opposite: softplus(D(x) - D(G(z))). The gradients go through the discriminator into the
// generator. The discriminator must not move in this turn, so it is frozen meanwhile; that also saves
// the work of computing gradients that nobody uses.

func teach(
  _ generator: Generator, with adam: AdamW, against discriminator: Discriminator, real: Tensor,
  z: Tensor, labels: [Int32], rate: Float
) -> Turn {
  discriminator.freeze()
  defer { discriminator.unfreeze() }
  let onReal = discriminator(real, labels: labels)
  let onFake = discriminator(generator(z, labels: labels), labels: labels)
  let game = softplus(onReal - onFake).mean()

  let found = gradients(of: game)
  _ = adam.update(adam.parameters.map { found[$0.parameter.value] }, learningRate: rate)
  return Turn(loss: game.item)
}

// ## A sheet of pictures
//
// The same noise each time, so that we see the same pictures come into being: a column per class.

func sheet(_ generator: Generator, _ adam: AdamW) -> Image {
  let names = generator.config.classNames
  let classes = names.isEmpty ? 10 : min(10, names.count)
  let order = PictureOrder(count: 8 * classes, seed: 0, classCount: classes)
  let drawn = adam.withAverages { generator.draw(order) }
  return contactSheet(images(drawn), columns: classes, padding: 2)
}

// ## The game
//
// The learning rate falls from 0.001 to a tenth of it, and γ, which keeps the discriminator
// gentle at the beginning, from 1 to 0.1; both follow half a cosine, as in R3GAN. Products are computed
// in bfloat16, which is faster on many processors and exact enough.

let steps = notebook["steps"]
let batch = min(notebook["batch"], data.count)
let order = EpochOrder(seed: notebook.seed, count: data.count)
var frames = [sheet(generator, generatorAdam)]
notebook.save(frames[0], as: "before.png")

var turns: [(discriminator: Turn, generator: Turn)] = []
var progress = Progress(steps, "step")
inBFloat16 {
  for step in 0..<steps {
    let chosen = order.indices(from: step * batch, count: batch)
    let (real, classes) = (data.tensor(chosen), chosen.map { labels[$0] })
    let remaining = 0.5 * (1 + cos(.pi * Float(step) / Float(steps)))
    let (rate, gamma) = (0.0001 + 0.0009 * remaining, 0.1 + 0.9 * remaining)

    let noise = Tensor.randn([batch, config.latentSize], using: &random)
    let fake = Compute.withoutRecording { generator(noise, labels: classes) }
    let first = teach(
      discriminator, with: discriminatorAdam, real: real, fake: fake, labels: classes,
      gamma: gamma, rate: rate)

    let z = Tensor.randn([batch, config.latentSize], using: &random)
    let second = teach(
      generator, with: generatorAdam, against: discriminator, real: real, z: z, labels: classes,
      rate: rate)

    turns.append((first, second))
    if (step + 1) % max(1, steps / 40) == 0 { frames.append(sheet(generator, generatorAdam)) }
    progress.update(step + 1, "losses \(short(first.loss)) and \(short(second.loss))")
  }
}

// ## What came of it

notebook.save(sheet(generator, generatorAdam), as: "after.png")
notebook.save(frames: frames, secondsPerFrame: 0.2, as: "learning.png")

// Unlike a classifier's loss, these do not tell how good the pictures are. Near ln 2 = 0.69 neither
// wins; a discriminator's loss near 0 and a large one of the generator mean that the discriminator
// has run away. Look at the pictures, or measure them: `imgen evaluate`.

func chart(_ title: String, _ lines: [(name: String, values: [Float])], as file: String) {
  let series = lines.map { line in
    LineChart.Series(line.name, y: line.values.map(Double.init), smoothing: 0.95)
  }
  notebook.save(LineChart(series, title: title, xLabel: "step").image, as: file)
}

chart(
  "Losses",
  [
    ("discriminator", turns.map(\.discriminator.loss)), ("generator", turns.map(\.generator.loss)),
  ], as: "losses.png")

// The mean logits of real and of made pictures. The distance between the lines is how well the
// discriminator tells them apart; their height means nothing, for the loss sees differences only.

chart(
  "What the discriminator thinks",
  [
    ("real pictures", turns.map(\.discriminator.realLogit)),
    ("made pictures", turns.map(\.discriminator.fakeLogit)),
  ], as: "logits.png")
notebook.finish()

// ## To try
//
// - `--steps 6000`: what gets better with time?
// - Leave the penalty out (γ = 0) and watch the logits.
// - Draw without the running mean: `generator.draw(order)` alone.
// - `imgen gan train fashion-mnist` is the same game with larger networks, a score and a safety net.
