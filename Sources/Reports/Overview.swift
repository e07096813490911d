import Foundation
import Volumes

/// One plane through a volume and its results; pixels row by row.
public struct OverviewPlane: Sendable {
    public enum Axis: String, Sendable {
        case z, y, x

        /// The axes of a plane's pixels, to the right and down.
        var pixelAxes: (horizontal: String, vertical: String) {
            switch self {
            case .z: ("x", "y")
            case .y: ("x", "z")
            case .x: ("y", "z")
            }
        }
    }

    /// The axis the plane is across: a z plane shows x to the right and y down, a y plane x and z,
    /// an x plane y and z.
    public var axis: Axis
    /// Where on the axis, in voxels.
    public var position: Int
    public var width, height: Int
    /// From 0 (black) to 1 (white).
    public var gray: [Float]
    /// How many members found the voxel inside.
    public var votes: [UInt8]
    public var labels: [UInt32]
    /// The size of a pixel in nm.
    public var pixelSize: (horizontal: Double, vertical: Double)

    public init(
        axis: Axis, position: Int, width: Int, height: Int, gray: [Float], votes: [UInt8], labels: [UInt32],
        pixelSize: (horizontal: Double, vertical: Double)
    ) {
        precondition(
            [gray.count, votes.count, labels.count].allSatisfy { $0 == width * height },
            "a plane of \(width) × \(height) pixels needs as many values of each kind")
        self.axis = axis
        self.position = position
        self.width = width
        self.height = height
        self.gray = gray
        self.votes = votes
        self.labels = labels
        self.pixelSize = pixelSize
    }
}

/// Draws the planes, one a row, as image, votes and connected regions, and writes the picture as a PNG file.
///
/// Voxels have their true aspect; every row has a scale bar.
///
/// - Parameter members: votes go from 0 to this.
/// - Throws: `FileFault` where the file cannot be written.
public func drawOverview(planes: [OverviewPlane], members: Int, title: String, to path: String) throws {
    let layout = OverviewLayout(planes: planes)
    let canvas = Canvas(width: Int(layout.width), height: Int(layout.height))
    layout.draw(on: canvas, members: members, title: title)
    try AtomicFile.write(canvas.png(), to: path)
}

/// Where the panels of an overview lie.
private struct OverviewLayout {
    let planes: [OverviewPlane]
    let panel = 460.0
    let margin = 28.0
    let gap = 18.0
    let head = 104.0
    let caption = 26.0

    var width: Double { 2 * margin + 3 * panel + 2 * gap }
    var height: Double { planes.reduce(head + margin) { $0 + caption + size(of: $1).height + gap } - gap }

    /// A plane's size on the picture: as large as fits a panel.
    func size(of plane: OverviewPlane) -> (width: Double, height: Double) {
        let width = max(1, Double(plane.width) * plane.pixelSize.horizontal)
        let height = max(1, Double(plane.height) * plane.pixelSize.vertical)
        let scale = min(panel / width, panel / height)
        return (max(1, (width * scale).rounded()), max(1, (height * scale).rounded()))
    }

    func column(_ index: Int) -> Double { margin + Double(index) * (panel + gap) }

    func draw(on canvas: Canvas, members: Int, title: String) {
        let title = canvas.fitting(title, width: width - 2 * margin, size: 22, bold: true)
        canvas.text(title, margin, 44, size: 22, bold: true)
        for (index, name) in ["Image", "Votes", "Objects"].enumerated() {
            canvas.text(name, column(index), 86, size: 15, bold: true)
        }
        drawLegend(on: canvas, members: members, rightEnd: column(1) + panel, baseline: 86)
        let colors = LabelColors(planes.map { ($0.labels, $0.width) })
        let shown = Set(planes.lazy.flatMap(\.labels)).subtracting([0]).count
        canvas.text(
            shown == 1 ? "1 in these planes" : "\(shown) in these planes", column(2) + panel, 86, size: 13, .quiet,
            align: .right)

        var y = head
        for plane in planes {
            draw(plane, on: canvas, y, members: members, colors)
            y += caption + size(of: plane).height + gap
        }
    }

    private func draw(
        _ plane: OverviewPlane, on canvas: Canvas, _ top: Double, members: Int, _ colors: LabelColors
    ) {
        let size = size(of: plane)
        let axes = plane.axis.pixelAxes
        canvas.text("\(plane.axis.rawValue) = \(plane.position)", margin, top + 15, size: 13, bold: true)
        canvas.text(
            "\(axes.horizontal) →  \(axes.vertical) ↓", column(0) + size.width, top + 15, size: 13, .quiet,
            align: .right)
        let panels = [
            plane.imagePixels, plane.votePixels(members: members), plane.regionPixels(of: plane.labels, colors),
        ]
        for (index, pixels) in panels.enumerated() {
            canvas.image(pixels, width: plane.width, column(index), top + caption, size.width, size.height)
            canvas.frame(column(index), top + caption, size.width, size.height, .line)
        }
        drawScaleBar(
            on: canvas, right: column(0) + size.width, bottom: top + caption + size.height, width: size.width,
            nanometers: Double(plane.width) * plane.pixelSize.horizontal)
    }

    /// A swatch for every number of votes, or the ends alone where there are many.
    private func drawLegend(on canvas: Canvas, members: Int, rightEnd: Double, baseline: Double) {
        let most = max(1, members)
        let swatch = most <= 9 ? 22.0 : 220 / Double(most + 1)
        var x = rightEnd - Double(most + 1) * swatch
        canvas.text("members above the threshold", x - 10, baseline, size: 13, .quiet, align: .right)
        for votes in 0...most {
            let color = Color.viridis(Double(votes) / Double(most))
            canvas.fill(x, baseline - 15, swatch + 0.5, 20, color)
            if most <= 9 || votes == 0 || votes == most {
                let ink: Color = votes * 5 > most * 3 ? .ink : .white
                canvas.text("\(votes)", x + swatch / 2, baseline - 0.5, size: 12, ink, align: .center)
            }
            x += swatch
        }
    }

    private func drawScaleBar(on canvas: Canvas, right: Double, bottom: Double, width: Double, nanometers: Double) {
        guard nanometers > 0, nanometers.isFinite else { return }
        let length = roundLength(atMost: nanometers * 0.3)
        let pixels = length / nanometers * width
        let text = length >= 1000 ? "\(plain(length / 1000)) µm" : "\(plain(length)) nm"
        let boxWidth = max(pixels, canvas.textWidth(text, size: 13)) + 20
        guard boxWidth < width else { return }
        canvas.fill(right - boxWidth, bottom - 34, boxWidth, 34, .black, opacity: 0.6)
        canvas.fill(right - boxWidth / 2 - pixels / 2, bottom - 11, pixels, 3, .white)
        canvas.text(text, right - boxWidth / 2, bottom - 17, size: 13, .white, align: .center)
    }
}

extension OverviewPlane {
    var imagePixels: [UInt32] { gray.map { grayColor($0).pixel } }

    fileprivate func votePixels(members: Int) -> [UInt32] {
        let scale = (0...255).map { Color.viridis(Double($0) / Double(max(1, members))).pixel }
        return votes.map { scale[Int($0)] }
    }

    /// The regions in their colours over the faint image.
    func regionPixels(of labels: [UInt32], _ colors: LabelColors) -> [UInt32] {
        zip(gray, labels).map { gray, label in
            let image = grayColor(gray)
            return label == 0
                ? image.over(.white, share: 0.45).pixel
                : colors[label].over(image, share: 0.68).pixel
        }
    }

    private func grayColor(_ gray: Float) -> Color {
        let value = gray.isFinite ? Double(min(max(gray, 0), 1)) : 0
        return Color(value, value, value)
    }
}
