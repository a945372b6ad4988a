import Foundation
import ImageIO
import TestSupport
import Testing

@Suite struct NotebookTests {
  /// A script, small settings, and the pictures it must leave.
  static let runs: [(name: String, arguments: String, pictures: [String])] = [
    (
      "train-a-classifier", "--epochs 1 --count 40",
      ["accuracy.png", "confusion.png", "loss.png"]
    ),
    (
      "gan-on-fashion-mnist", "--steps 3 --count 20 --channels 8 --batch 8",
      ["after.png", "before.png", "learning.png", "logits.png", "losses.png"]
    ),
    (
      "what-a-gan-sees", "--steps 3 --count 20 --channels 8 --looks 2 --cells 3",
      ["landscapes-over-time.png", "landscapes.png", "saliency-made.png", "saliency-real.png"]
    ),
  ]

  @Test(arguments: runs.indices)
  func scriptLeavesItsPictures(_ index: Int) throws {
    let (name, arguments, pictures) = Self.runs[index]
    let folder = try ScratchFolder()
    try NotebookRun.makePictures(in: folder)
    let run = try NotebookRun.run(name, "--data pictures --out left " + arguments, in: folder)
    #expect(run.status == 0, "\(run.output)")
    #expect(run.output.hasSuffix("All pictures are in left\n"))
    let found = try folder.names(in: "left").filter { $0 != "mistakes.png" }
    #expect(found == pictures)
    for picture in found {
      let image = try Image(contentsOf: folder("left/\(picture)"))
      #expect(Set(image.pixels).count > 2, "\(picture) is empty")
    }
  }

  @Test func classifierLearnsWhatIsEasy() throws {
    let folder = try ScratchFolder()
    try NotebookRun.makePictures(in: folder)
    let run = try NotebookRun.run(
      "train-a-classifier", "--data pictures --out left --epochs 12 --batch 8", in: folder)
    #expect(run.status == 0)
    #expect(run.output.contains("epoch 12: 100.00 % of the test pictures are right"))
    #expect(try !folder.names(in: "left").contains("mistakes.png"))
  }

  @Test(arguments: runs.map(\.name))
  func missingPicturesAreAMessage(_ name: String) throws {
    let folder = try ScratchFolder()
    let run = try NotebookRun.run(name, "--data nowhere", in: folder)
    #expect(run.status == 1)
    #expect(run.output.hasPrefix("error: nowhere: there is neither a folder nor a file"))
    #expect(try folder.names(in: "") == [])
  }

  @Test(arguments: [
    ("--steps 0", "--steps is 0, expected a whole number from 1 to 1000000"),
    ("--steps many", "--steps is many, expected a whole number from 1 to 1000000"),
    ("--steps", "--steps needs a value; see --help"),
    ("--speed 3", "there is no option --speed; see --help"),
  ])
  func wrongOptionsAreAMessage(_ arguments: String, _ message: String) throws {
    let folder = try ScratchFolder()
    let run = try NotebookRun.run("gan-on-fashion-mnist", arguments, in: folder)
    #expect(run.status == 1)
    #expect(run.output == "error: \(message)\n")
  }

  @Test func classifierAsksForClasses() throws {
    let folder = try ScratchFolder()
    try NotebookRun.makePictures(in: folder)
    let run = try NotebookRun.run(
      "train-a-classifier", "--data pictures/lying --out left", in: folder)
    #expect(run.status == 1)
    #expect(run.output.contains("these pictures have no classes"))
  }
}
