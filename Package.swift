// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [])
  -> Target
{
  .target(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

/// Targets whose tests read files of `Tests/<Target>Tests/Fixtures`.
let withFixtures: Set = [
  "Checkpoints", "ComputeCore", "Datasets", "Diffusion", "Evaluation", "GAN", "ImageIO", "Layers",
  "LoRA", "Models", "Pipelines", "Tokenizers", "Training", "imgen",
]

func tests(of name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.init(stringLiteral: name), "TestSupport"] + dependencies,
    exclude: withFixtures.contains(name) ? ["Fixtures"] : [], swiftSettings: settings)
}

/// A script of `notebooks-as-scripts`, which is a program of its own.
func notebook(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: ["NotebookSupport", "ComputeCore", "Datasets"] + dependencies,
    path: "notebooks-as-scripts/\(name)", swiftSettings: settings)
}

let package = Package(
  name: "imgen",
  products: [.executable(name: "imgen", targets: ["imgen"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "CKernels"),
    .target(name: "CImageIO", linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    library("ComputeCore", ["CKernels"]),
    library("Layers", ["ComputeCore"]),
    library("ImageIO", ["CImageIO", "ComputeCore"]),
    library("Plots", ["ImageIO"]),
    library("Checkpoints", ["Layers", "ComputeCore"]),
    library("Tokenizers", [], resources: [.copy("Resources")]),
    library("Models", ["Layers", "Checkpoints", "ComputeCore"]),
    library("Diffusion", ["ComputeCore"]),
    library("LoRA", ["Layers", "Checkpoints", "ComputeCore"]),
    library("GAN", ["Layers", "Checkpoints", "ComputeCore"]),
    library("Datasets", ["CZlib", "ImageIO", "ComputeCore"]),
    library(
      "Evaluation",
      ["ComputeCore", "Layers", "Checkpoints", "ImageIO", "Plots", "Datasets"]),
    library(
      "Pipelines",
      [
        "ComputeCore", "Layers", "ImageIO", "Checkpoints", "Tokenizers", "Models", "Diffusion",
        "LoRA",
      ]),
    library(
      "Training",
      [
        "ComputeCore", "Layers", "ImageIO", "Plots", "Checkpoints", "Tokenizers", "Models",
        "Diffusion", "LoRA", "GAN", "Datasets", "Evaluation", "Pipelines",
      ]),
    .executableTarget(
      name: "imgen",
      dependencies: [
        "ComputeCore", "Layers", "ImageIO", "Plots", "Checkpoints", "Tokenizers", "Models",
        "Diffusion", "LoRA", "GAN", "Datasets", "Evaluation", "Training", "Pipelines",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .target(
      name: "NotebookSupport", dependencies: ["ComputeCore", "Datasets", "ImageIO", "Plots"],
      path: "notebooks-as-scripts/Support", swiftSettings: settings),
    notebook("train-a-classifier", ["Evaluation", "Plots"]),
    notebook("gan-on-fashion-mnist", ["GAN", "ImageIO", "Layers", "Plots", "Training"]),
    notebook("what-a-gan-sees", ["GAN", "ImageIO", "Layers", "Plots", "Training"]),
    .target(name: "TileEmulator", dependencies: ["CKernels"], path: "Tests/TileEmulator"),
    .target(
      name: "TestSupport",
      dependencies: ["ComputeCore", "Checkpoints", "ImageIO", "TileEmulator"],
      path: "Tests/TestSupport", swiftSettings: settings),
    tests(of: "CKernels", []),
    tests(of: "ComputeCore", ["COpenBLAS", "Checkpoints", "TileEmulator"]),
    tests(of: "Layers", ["ComputeCore", "Checkpoints"]),
    tests(of: "ImageIO", ["ComputeCore"]),
    tests(of: "Plots", ["ImageIO"]),
    tests(of: "Checkpoints", ["Layers", "ComputeCore"]),
    tests(of: "Tokenizers", []),
    tests(of: "Models", ["Layers", "ComputeCore", "Checkpoints"]),
    tests(of: "Diffusion", ["ComputeCore", "Checkpoints"]),
    tests(of: "LoRA", ["Layers", "ComputeCore", "Checkpoints", "Models"]),
    tests(of: "GAN", ["Layers", "ComputeCore", "Checkpoints"]),
    tests(of: "Datasets", ["ImageIO", "ComputeCore"]),
    tests(
      of: "Evaluation",
      ["ComputeCore", "Layers", "Checkpoints", "ImageIO", "Plots", "Datasets"]),
    tests(
      of: "Pipelines",
      [
        "ComputeCore", "Layers", "ImageIO", "Checkpoints", "Tokenizers", "Models", "Diffusion",
        "LoRA",
      ]),
    tests(
      of: "Training",
      [
        "ComputeCore", "Layers", "ImageIO", "Checkpoints", "Models", "Diffusion", "GAN",
        "Datasets", "Evaluation", "Pipelines",
      ]),
    tests(of: "imgen", ["ImageIO"]),
    .testTarget(
      name: "NotebooksTests",
      dependencies: [
        "TestSupport", "ComputeCore", "Datasets", "ImageIO", "NotebookSupport",
        "train-a-classifier", "gan-on-fashion-mnist", "what-a-gan-sees",
      ],
      swiftSettings: settings),
  ]
)
