// # What a GAN sees
//
// Two ways of looking into the game of `gan-on-fashion-mnist` while it is played. First, the landscape
// around each network: how the loss would change if its parameters were a little different. Second, the
// pixels that matter: where a picture would have to be brighter or darker for the discriminator to find
// it more real.
//
//     swift run -c release what-a-gan-sees
//
// It leaves the landscapes as a sheet and as an animation, and the pixels that matter.

import ComputeCore
import Datasets
import GAN
import ImageIO
import Layers
import NotebookSupport
import Plots
import Training

let notebook = Notebook(
  "what-a-gan-sees",
  options: [
    .init("steps", 1_000, in: 1...1_000_000, "updates of both networks"),
    .init("looks", 5, in: 1...100, "landscapes on the way, beside the first one"),
    .init("cells", 13, in: 3...101, "points of a landscape in each direction"),
    .init("channels", 24, in: 1...512, "width of the networks at their largest level"),
  ], leastPictures: 16)

// ## The game
//
// The networks and the loop are the library's: `GANTrainer` does what the loop of `gan-on-fashion-mnist`
// does, one step each time it is asked.

let data = notebook.pictures(.train)
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

var settings = GANTrainingConfig()
settings.seed = notebook.seed
settings.batchSize = min(32, data.count)
settings.emaDecay = 0.995
var trainer = GANTrainer(generator, discriminator, on: data, settings)

// ## What stays the same
//
// Landscapes can be compared if they are measured on the same real pictures, noise and classes.

let probeCount = min(64, data.count)
let real = data.tensor(0..<probeCount)
let labels = (0..<probeCount).map { index in data.labels.map { Int32($0[index]) } ?? 0 }
var probeRandom = TorchGenerator(seed: 1_000)
let z = Tensor.randn([probeCount, config.latentSize], using: &probeRandom)

// ## A plane through the parameters
//
// A network with a million parameters is a point in a space of a million dimensions. We can draw two of
// them. From where the network is, θ, we draw two random directions δ and η and look at
//
//     f(α, β) = L(θ + α δ + β η)      (Li et al. 2018, arXiv:1712.09913, section 3)
//
// Parameters come in different sizes, and a step of the same length would be a large one for small
// weights. So each filter d of a direction gets the length of the filter θ that it changes, "filter
// normalisation" (the same paper, section 4):
//
//     d ← d / ‖d‖ · ‖θ‖
//
// With that, α = 1 means a change as large as the weights themselves. A filter is what makes one
// output: a slice of the first axis. Biases, which have one axis only, stay as they are.

func filterNormalised(_ direction: Tensor, like weights: Tensor) -> Tensor {
  guard weights.rank > 1 else { return .zeros(weights.shape) }
  let axes = Array(1..<weights.rank)
  let wanted = sqrt(square(weights).sum(axes: axes, keepDims: true))
  let found = sqrt(square(direction).sum(axes: axes, keepDims: true))
  return direction * (wanted / found)
}

// `measure` gives the loss for whatever parameters the network has just now. We put it at each point of
// the plane, measure, and put it back at the end. The seed is the same at every look, so that the two
// directions are the same too, apart from their lengths.

func landscape(
  around network: some Module, reach: Float, cells: Int, _ measure: () -> Float
) -> [[Float]] {
  var random = TorchGenerator(seed: 2_000)
  let parameters = network.namedParameters().map(\.parameter)
  let here = parameters.map { $0.value.detached() }
  func direction() -> [Tensor] {
    here.map { filterNormalised(Tensor.randn($0.shape, using: &random), like: $0) }
  }
  let (delta, eta) = (direction(), direction())
  let places = (0..<cells).map { reach * (2 * Float($0) / Float(cells - 1) - 1) }
  let rows = places.map { beta in
    places.map { alpha in
      for i in parameters.indices {
        parameters[i].value = here[i] + alpha * delta[i] + beta * eta[i]
      }
      return measure()
    }
  }
  for i in parameters.indices { parameters[i].value = here[i] }
  return rows
}

// ## A look at both networks
//
// Each player's landscape depends on where the other one is. Around the discriminator we vary only the
// discriminator, and the made pictures stay; around the generator only the generator, and its judge
// stays. That is why both landscapes move although each network only ever walks downhill: every step
// of one changes the ground under the other.

struct Look {
  let step: Int
  let discriminator: [[Float]]
  let generator: [[Float]]
}

func look(
  at generator: Generator, _ discriminator: Discriminator, step: Int, cells: Int, real: Tensor,
  z: Tensor, labels: [Int32]
) -> Look {
  let loss = AdversarialLoss.relativistic
  return Compute.withoutRecording {
    let fake = generator(z, labels: labels)
    let around = landscape(around: discriminator, reach: 1, cells: cells) {
      loss.ofDiscriminator(
        real: discriminator(real, labels: labels), fake: discriminator(fake, labels: labels)
      ).item
    }
    let onReal = discriminator(real, labels: labels)
    let below = landscape(around: generator, reach: 1, cells: cells) {
      let made = generator(z, labels: labels)
      return loss.ofGenerator(real: onReal, fake: discriminator(made, labels: labels)).item
    }
    return Look(step: step, discriminator: around, generator: below)
  }
}

let steps = notebook["steps"]
let lookCount = min(notebook["looks"], steps)
var looks: [Look] = []
var progress = Progress(steps, "step")
for step in 0...steps {
  if step * lookCount / steps > looks.count - 1 {
    looks.append(
      inBFloat16 {
        look(
          at: generator, discriminator, step: step, cells: notebook["cells"], real: real, z: z,
          labels: labels)
      })
  }
  guard step < steps else { break }
  let turn = inBFloat16 { trainer.next(progress: Double(step) / Double(steps)) }
  progress.update(
    step + 1, "losses \(short(turn.discriminatorLoss)) and \(short(turn.generatorLoss))")
}

// ## The landscapes as pictures
//
// Losses of different size share one picture best as logarithms. Dark blue is the lowest loss of all
// looks at that network, yellow the highest; the dot in the middle is where the network is.

let around = logarithmicHeatMaps(looks.map(\.discriminator), side: 240)
let below = logarithmicHeatMaps(looks.map(\.generator), side: 240)
let frames = looks.indices.map { i in
  let (step, middle) = (looks[i].step, looks[i].discriminator.count / 2)
  return captionedSheet(
    [around[i], below[i]],
    captions: [
      "discriminator, step \(step): loss \(short(looks[i].discriminator[middle][middle]))",
      "generator, step \(step): loss \(short(looks[i].generator[middle][middle]))",
    ], columns: 2)
}
notebook.save(frames: frames, secondsPerFrame: 0.6, as: "landscapes-over-time.png")
notebook.save(contactSheet(frames, columns: 3, padding: 6), as: "landscapes.png")

// ## The pixels that matter
//
// The gradient of the logit by the pixels says, for each pixel, how much more real the discriminator
// would find the picture if that pixel were brighter: a saliency map (Simonyan et al. 2013,
// arXiv:1312.6034, section 3). A logit depends on its own picture only, so the gradient of all logits
// at once holds the one of each. Red: brighter would look more real; blue: darker would.
//
// The gradient at one point is grainy. We take the mean over 64 copies of the picture with a little
// noise added, in which what they agree on stays (SmoothGrad; Smilkov et al. 2017, arXiv:1706.03825).
//
// For a made picture this is what the generator is told in training: its gradient goes on from here
// into its parameters.

func saliency(
  _ pictures: Tensor, _ labels: [Int32], _ names: [String], kind: String,
  by discriminator: Discriminator
) -> (images: [Image], captions: [String]) {
  var random = TorchGenerator(seed: 3_000)
  var sum = Tensor.zeros(pictures.shape)
  for _ in 0..<64 {
    let x = (pictures + 0.2 * Tensor.randn(pictures.shape, using: &random)).asVariable()
    sum = sum + (gradients(of: discriminator(x, labels: labels))[x] ?? .zeros(x.shape))
  }
  let logits = discriminator(pictures, labels: labels)
  let width = pictures.shape[2]
  let pixels = sum.sum(axes: [3])  // [N, H, W]
  let pairs = zip(images(pictures, side: 112), labels.indices).map { picture, index in
    let values = pixels.sliced(axis: 0, index..<index + 1).values
    let limit = values.map { Swift.abs($0) }.max() ?? 0
    return sideBySide([picture, enlarged(signMap(values, width: width, limit: limit), side: 112)])
  }
  let captions = zip(labels, logits.values).map { label, logit in
    "\(kind) \(names.isEmpty ? "picture" : names[Int(label)]), logit \(short(logit))"
  }
  return (pairs, captions)
}

let shown = min(9, probeCount)
let chosen = Array(labels.prefix(shown))
let made = trainer.optimizers.generator.withAverages {
  generator.draw(z.sliced(axis: 0, 0..<shown), labels: chosen)
}
let onReal = saliency(
  real.sliced(axis: 0, 0..<shown), chosen, data.classNames, kind: "real", by: discriminator)
let onMade = saliency(made, chosen, data.classNames, kind: "made", by: discriminator)
for (found, file) in [(onReal, "saliency-real.png"), (onMade, "saliency-made.png")] {
  notebook.save(captionedSheet(found.images, captions: found.captions, columns: 3), as: file)
}
notebook.finish()

// ## To try
//
// - `--looks 20 --cells 25`: a smoother film, which takes longer.
// - Leave the filter normalisation out. Which landscape changes most?
