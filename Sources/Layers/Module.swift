import ComputeCore

/// A layer, or anything made of layers, whose stored properties name its parameters.
///
/// Keys are those of the checkpoints: property names in snake case joined by dots, elements of
/// arrays by their index (`down_blocks.0.resnets.1.conv1.weight`), in order of declaration.
/// Parameters, modules, arrays of modules and optional ones of these are found.
public protocol Module: AnyObject {
  /// Key components of properties where snake case is not what checkpoints use.
  ///
  /// Property name → component, which may contain dots: `["toOut": "to_out.0"]`.
  static var keyOverrides: [String: String] { get }
}

extension Module {
  /// No exceptions to snake case.
  public static var keyOverrides: [String: String] { [:] }

  /// All parameters and buffers with their checkpoint keys, in order of declaration.
  public func namedParameters() -> [(key: String, parameter: Parameter)] {
    var found: [(key: String, parameter: Parameter)] = []
    visit(path: "") { path, member in
      if case .parameter(let parameter) = member { found.append((path, parameter)) }
    }
    return found
  }

  /// This module (under the empty path) and all inside it with their paths, outer ones first.
  public func namedModules() -> [(path: String, module: any Module)] {
    var found: [(path: String, module: any Module)] = [("", self)]
    visit(path: "") { path, member in
      if case .module(let module) = member { found.append((path, module)) }
    }
    return found
  }

  /// Everything that training changes here: parameters that are not frozen, and adapters' ones.
  public func trainableParameters() -> [Parameter] {
    var found: [Parameter] = []
    visit(path: "") { _, member in
      switch member {
      case .parameter(let parameter): found.append(parameter)
      case .adapter(let adapter): found += adapter.parameters
      case .module: break
      }
    }
    return found.filter { !$0.isFrozen }
  }

  /// Number of elements of all parameters, buffers and adapters excluded.
  public var parameterCount: Int {
    namedParameters().lazy.filter { $0.parameter.role == .weight }
      .reduce(0) { $0 + $1.parameter.count }
  }

  /// Stops gradients by all parameters; adapters keep theirs.
  public func freeze() {
    for (_, parameter) in namedParameters() { parameter.freeze() }
  }

  /// Lets gradients by all parameters be recorded.
  public func unfreeze() {
    for (_, parameter) in namedParameters() { parameter.unfreeze() }
  }

  /// Fills all parameters for training from scratch, in order of declaration.
  public func initialize(using generator: inout TorchGenerator) {
    for (_, parameter) in namedParameters() { parameter.initialize(using: &generator) }
  }

  fileprivate func visit(path: String, _ found: (String, Member) -> Void) {
    for child in Mirror(reflecting: self).children {
      guard let name = child.label else { continue }
      let component = Self.keyOverrides[name] ?? snakeCase(name)
      let key = path.isEmpty ? component : "\(path).\(component)"
      if let adapters = child.value as? [any LinearAdapter] {
        for adapter in adapters { found(key, .adapter(adapter)) }
      } else if let parameter = child.value as? Parameter {
        found(key, .parameter(parameter))
      } else if let module = child.value as? any Module {
        found(key, .module(module))
        module.visit(path: key, found)
      } else if let modules = child.value as? [any Module] {
        for (index, module) in modules.enumerated() {
          found("\(key).\(index)", .module(module))
          module.visit(path: "\(key).\(index)", found)
        }
      }
    }
  }
}

/// What a stored property of a module can hold.
private enum Member {
  case parameter(Parameter)
  case module(any Module)
  case adapter(any LinearAdapter)
}

/// `timeEmbProj` → `time_emb_proj`; digits stay where they are (`conv1`).
private func snakeCase(_ name: String) -> String {
  var snake = ""
  for character in name {
    if character.isUppercase { snake += "_" }
    snake += character.lowercased()
  }
  return snake
}
