// swift-tools-version: 6.1
import Foundation
import PackageDescription

// libtorch's folder: the one setting that says which libtorch to build against.
// `make setup` puts it (or a link to $TORCH_DIR) at .deps/torch.
let torch = Context.environment["TORCH_DIR"] ?? Context.packageDirectory + "/.deps/torch"
let hasCUDA = FileManager.default.fileExists(atPath: torch + "/lib/libtorch_cuda.so")

// `--no-as-needed`: nothing refers to libtorch_cuda by symbol; it registers itself when loaded. libtorch.so is left
// out: it is empty, and the CUDA wheel's would ask for libtorch_cuda even where only the CPU half is kept.
let torchLibraries =
    [
        "-L\(torch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(torch)/lib",
        "-Xlinker", "--no-as-needed", "-ltorch_cpu", "-lc10",
    ]
    + (hasCUDA ? ["-ltorch_cuda", "-lc10_cuda"] : [])

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, resources: [.copy("Data")])
}

// Counting bits is an instruction of every x86-64 processor since 2009, but not of the first, which Swift compiles for.
#if arch(x86_64)
    let bitCounting: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=x86-64-v2"])]
#else
    let bitCounting: [SwiftSetting] = []
#endif

let package = Package(
    name: "segment",
    products: [
        .executable(name: "segment", targets: ["segment"]),
        // For the benchmarks and the fuzzing.
        .library(name: "Volumes", targets: ["Volumes"]),
        .library(name: "Tensors", targets: ["Tensors"]),
        .library(name: "Networks", targets: ["Networks"]),
        .library(name: "Inference", targets: ["Inference"]),
        .library(name: "Labeling", targets: ["Labeling"]),
        .library(name: "Training", targets: ["Training"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // C libraries.
        .target(
            name: "CTorch",
            cxxSettings: [.unsafeFlags(["-isystem", "\(torch)/include", "-O2"])],
            linkerSettings: [.unsafeFlags(torchLibraries)]),
        .target(name: "CLoss", cSettings: [.unsafeFlags(["-O2"])]),
        .target(name: "CLabeling", cSettings: [.unsafeFlags(["-O2"])]),
        .systemLibrary(name: "CTIFF", pkgConfig: "libtiff-4", providers: [.apt(["libtiff-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CBlosc", pkgConfig: "blosc", providers: [.apt(["libblosc-dev"])]),
        .systemLibrary(name: "CLZF", pkgConfig: "liblzf", providers: [.apt(["liblzf-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"])]),

        // The path of the data, from files to labels.
        .target(
            name: "Volumes",
            dependencies: ["CTIFF", "CHDF5", "CDeflate", "CZstd", "CZlib", "CBlosc", "CLZ4", "CLZF", "CPNG"]),
        .target(name: "Synthesis", dependencies: ["Volumes"]),
        .target(name: "Tensors", dependencies: ["CTorch"]),
        .target(name: "Networks", dependencies: ["Tensors"], exclude: ["README.md"]),
        .target(
            name: "Labeling",
            dependencies: ["CLabeling", "Volumes", .product(name: "HeapModule", package: "swift-collections")],
            swiftSettings: bitCounting),
        .target(name: "Inference", dependencies: ["Networks", "Volumes"]),
        .target(name: "Training", dependencies: ["CLoss", "Networks", "Volumes", "Labeling", "Inference"]),
        .target(name: "Diagnosis", dependencies: ["Networks", "Volumes"]),
        .target(name: "Reports", dependencies: ["CCairo", "Volumes", "Labeling", "Diagnosis"]),
        .target(
            name: "Pipeline",
            dependencies: [
                "Volumes", "Synthesis", "Tensors", "Networks", "Labeling", "Inference", "Training", "Diagnosis",
                "Reports", "Yams",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .executableTarget(
            name: "segment",
            dependencies: [
                "Pipeline", "Networks", "Synthesis",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        tests("Volumes", ["Volumes", "TestSupport"]),
        tests("Synthesis", ["Synthesis", "Labeling"]),
        tests("Tensors", ["Tensors", "TestSupport"]),
        tests("Networks", ["Networks", "TestSupport"]),
        tests("Diagnosis", ["Diagnosis", "TestSupport"]),
        tests("Labeling", ["Labeling"]),
        tests("Inference", ["Inference", "TestSupport"]),
        tests("Training", ["Training", "TestSupport"]),
        tests("Reports", ["Reports", "TestSupport"]),
        tests("Pipeline", ["Pipeline", "TestSupport"]),
        tests("segment", ["Labeling", "Volumes", "segment", "TestSupport"]),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
    ],
    cxxLanguageStandard: .cxx20
)
