import ImageIO

/// A look at every photo of a folder before hours are spent on training with them.
///
/// Photos are left out that cannot be decoded, are too small, show one colour only, show the same
/// as another one, or are blurry when most are not. The folder is never changed.
///
/// Photos that lie on their side without a note of the camera are not looked for: what is up
/// cannot be told from pixels without guessing.
public struct PhotoCheckUp: Sendable {
  /// Short side of the pictures trained on; smaller photos are kept with a warning.
  public let trainingSide: Int
  /// Short side below which a photo is left out.
  public let minimumSide: Int
  /// How many photos must be left.
  public let minimumPhotos: Int
  /// What decoding a photo may cost.
  public let limits: ImageLimits

  /// Makes a check-up for a training size.
  ///
  /// - Parameters:
  ///   - trainingSide: short side of the pictures trained on, in pixels.
  ///   - minimumSide: short side below which a photo is left out; half of `trainingSide` if `nil`.
  ///   - minimumPhotos: how many usable photos a folder must have.
  ///   - limits: larger files count as unreadable.
  public init(
    trainingSide: Int = 256, minimumSide: Int? = nil, minimumPhotos: Int = 5,
    limits: ImageLimits = .standard
  ) {
    precondition(trainingSide > 0, "PhotoCheckUp: the side must be positive, got \(trainingSide)")
    self.trainingSide = trainingSide
    self.minimumSide = minimumSide ?? trainingSide / 2
    self.minimumPhotos = minimumPhotos
    self.limits = limits
  }

  /// Decodes and judges every photo of a folder and the folders inside of it.
  ///
  /// - Parameters:
  ///   - path: of the folder.
  ///   - progress: is called with the numbers of decoded and of all photos.
  /// - Returns: what to use, what not and why; the same for the same files.
  /// - Throws: `DatasetError`: no folder, no pictures, or too few of them are usable.
  public func check(
    _ path: String, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(DatasetError) -> PhotoReport {
    let listing = try FolderListing(path)
    let files = (listing.pictures + listing.foreignPictures).sorted { $0.name < $1.name }
    guard !files.isEmpty else { throw .noPictures(path: path, found: describe(listing)) }
    let limits = limits
    let measured = parallelMap(files, progress: progress) { measure($0, limits: limits) }
    let report = PhotoJudge(files: files, measured: measured, settings: self)
      .report(path: listing.folder)
    guard report.kept.count >= minimumPhotos else {
      throw .tooFewPhotos(
        path: path, found: report.foundCount, usable: report.kept.count, needed: minimumPhotos,
        reasons: report.skipped.map(\.description))
    }
    return report
  }
}

/// Decodes one photo and forgets it; a failure is in words, without the file's name.
private func measure(_ file: ListedFile, limits: ImageLimits) -> Result<PhotoMeasure, Unreadable> {
  do {
    let decoded = try ImageFile(contentsOf: file.path, limits: limits)
    guard PictureFileType.decodedExtensions.contains(file.fileExtension) else {
      let name = decoded.format == .png ? ".png" : ".jpg"
      return .failure(
        Unreadable(
          detail: "misnamed: this is a \(decoded.format.rawValue) file; let its name end in \(name)"
        ))
    }
    return .success(PhotoMeasure(decoded))
  } catch {
    return .failure(Unreadable(detail: String(error.description.dropFirst(error.file.count + 2))))
  }
}

private struct Unreadable: Error {
  let detail: String
}

/// Turns measurements into a report.
private struct PhotoJudge {
  let files: [ListedFile]
  let measured: [Result<PhotoMeasure, Unreadable>]
  let settings: PhotoCheckUp

  /// Acuity above which a photo is sharp, whatever the others are.
  private static let sharp = 0.8
  /// Acuity below which a photo is blurry, if most of the others are not.
  private static let blurry = 0.5
  /// Part of the median acuity above which a photo is no exception in its folder.
  private static let usual = 0.5

  func report(path: String) -> PhotoReport {
    var faults: [Int: PhotoFault] = [:]
    var usable: [(index: Int, measure: PhotoMeasure)] = []
    var turnedCount = 0
    for (index, result) in measured.enumerated() {
      switch result {
      case .failure(let failure): faults[index] = .unreadable(failure.detail)
      case .success(let measure):
        turnedCount += measure.wasTurned ? 1 : 0
        faults[index] = faultOnItsOwn(measure)
        if faults[index] == nil { usable.append((index, measure)) }
      }
    }
    for duplicate in findDuplicates(usable) {
      let original = files[duplicate.original].name
      faults[duplicate.index] =
        duplicate.isExact ? .copy(of: original) : .nearDuplicate(of: original)
    }
    usable.removeAll { faults[$0.index] != nil }
    let median = medianAcuity(usable.map(\.measure))
    var warnings: [PhotoWarning] = []
    for photo in usable where faults[photo.index] == nil {
      let name = files[photo.index].name
      if let acuity = photo.measure.acuity, acuity < min(Self.sharp, Self.usual * median) {
        if acuity < Self.blurry {
          faults[photo.index] = .blurry
          continue
        }
        warnings.append(.soft(name: name))
      }
      warnings += warningsOnItsOwn(photo.measure, name: name)
    }
    if median < Self.sharp { warnings.append(.mostAreSoft) }
    return PhotoReport(
      path: path,
      kept: usable.filter { faults[$0.index] == nil }.map { photo in
        CheckedPhoto(
          path: files[photo.index].path, name: files[photo.index].name,
          width: photo.measure.width, height: photo.measure.height)
      },
      skipped: faults.sorted { $0.key < $1.key }.map { index, fault in
        SkippedPhoto(name: files[index].name, fault: fault)
      },
      warnings: warnings, turnedCount: turnedCount)
  }

  private func faultOnItsOwn(_ measure: PhotoMeasure) -> PhotoFault? {
    if measure.shortSide < settings.minimumSide {
      return .tooSmall(
        width: measure.width, height: measure.height, minimum: settings.minimumSide)
    }
    if case .oneColor(let color) = measure.exposure.problem { return .oneColor(color) }
    return nil
  }

  private func warningsOnItsOwn(_ measure: PhotoMeasure, name: String) -> [PhotoWarning] {
    var warnings: [PhotoWarning] = []
    if measure.shortSide < settings.trainingSide {
      warnings.append(
        .enlarged(
          name: name, width: measure.width, height: measure.height,
          trainingSide: settings.trainingSide))
    }
    switch measure.exposure.problem {
    case .tooDark: warnings.append(.tooDark(name: name))
    case .tooBright: warnings.append(.tooBright(name: name))
    case .oneColor, nil: break
    }
    return warnings
  }

  /// Infinite when no photo has edges to judge by.
  private func medianAcuity(_ measures: [PhotoMeasure]) -> Double {
    let values = measures.compactMap(\.acuity).sorted()
    return values.isEmpty ? .infinity : values[values.count / 2]
  }
}

extension CaptionedFolder {
  /// The pictures that a check-up of the same folder kept.
  public func pictures(keptBy report: PhotoReport) -> [CaptionedPicture] {
    let names = Set(report.kept.map(\.name))
    return pictures.filter { names.contains($0.name) }
  }
}
