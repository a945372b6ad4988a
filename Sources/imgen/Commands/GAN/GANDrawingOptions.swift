import ArgumentParser

/// What all commands that draw with a GAN let one choose.
struct GANDrawingOptions: ParsableArguments {
  @Option(name: .customLong("class"), help: "Class by number or name. Default: all in turn.")
  var label: String?

  @Option(help: "Below 1: safer pictures that are more alike.")
  var truncation: Float = 1

  @Option(help: "Enlarge each picture to about this many pixels.")
  var side = 56

  func validate() throws {
    try OptionChecks.require("truncation", truncation, in: 0...4)
    try OptionChecks.require("side", side, in: 1...4_096)
  }
}
