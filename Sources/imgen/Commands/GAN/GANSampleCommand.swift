import ArgumentParser
import ComputeCore
import Foundation
import GAN
import ImageIO

/// Draws pictures with a trained generator.
struct GANSampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Draw pictures with a trained GAN.")

  @Argument(help: "Folder of a run or of its model.")
  var model: String

  @Option(help: "Number of pictures.")
  var count = 100

  @Option(help: "Seed of the first picture; the others follow.")
  var seed: UInt64 = 1

  @Option(help: "PNG file of a sheet, or a folder for single pictures.")
  var out = "gan.png"

  @Flag(inversion: .prefixedNo, help: "One sheet, or single pictures in a folder.")
  var grid = true

  @OptionGroup var drawing: GANDrawingOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    try OptionChecks.require("count", count, in: 1...100_000)
    if grid { try GANPictures.check(count: count, side: drawing.side) }
    if grid {
      try OutputLocation.check(
        picture: out, otherwise: "; for single pictures in a folder add --no-grid")
    } else {
      try OutputLocation.check(folder: out)
    }
  }

  func run() throws {
    try compute.run(defaultPrecision: .float32) { try draw() }
  }

  private func draw() throws {
    let generator = try GANLocation.generator(model)
    let classes = generator.config.classNames
    let order = PictureOrder(
      count: count, seed: seed, label: try generator.label(drawing.label),
      classCount: classes.count, truncation: drawing.truncation)
    var bar = ProgressBar("Drawing", isVisible: console.isTalkative)
    let pictures = generator.draw(order) { bar.update($0, of: count) }
    bar.finish()
    let images = GANPictures.images(pictures, generator.config, side: grid ? drawing.side : 0)
    if grid {
      let columns =
        drawing.label == nil && !classes.isEmpty && classes.count <= 20 ? classes.count : nil
      try contactSheet(images, columns: columns, padding: 2).writePNG(to: out)
      console.say(out)
    } else {
      try writeSingly(images, order, classes)
    }
    try console.report(GANSampleReport(out: out, count: count))
  }

  /// Writes into a folder per class, as `imgen classify` and `imgen evaluate` read them.
  private func writeSingly(_ images: [Image], _ order: PictureOrder, _ classes: [String]) throws {
    var bar = ProgressBar("Writing", isVisible: console.isTalkative)
    for (index, image) in images.enumerated() {
      let name = classes.isEmpty ? nil : classes[Int(order.labels[index])].replacing("/", with: "-")
      let folder = name.map { $0.allSatisfy { $0 == "." } ? out : "\(out)/\($0)" } ?? out
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try image.writePNG(to: "\(folder)/\(order.seeds[index]).png")
      bar.update(index + 1, of: images.count)
    }
    bar.finish()
    console.say("\(images.count) pictures in \(out)")
  }
}

/// `--json` of `imgen gan sample`.
private struct GANSampleReport: Encodable {
  let out: String
  let count: Int
}
