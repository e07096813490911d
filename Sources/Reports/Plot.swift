import Foundation

/// A line chart: what a training's losses or a threshold's scores look like.
public struct Plot: Sendable {
    public struct Series: Sendable {
        /// The legend's; a series without a name is not in it.
        public var name: String
        /// A value that is not finite breaks the line, as does one that is not positive on a logarithmic axis.
        public var points: [(x: Double, y: Double)]
        public var stroke: Stroke
        /// The series whose colour this one shares; nil for a colour of its own.
        public var colorOf: String?

        public init(
            name: String, points: [(x: Double, y: Double)], stroke: Stroke = .solid, colorOf: String? = nil
        ) {
            self.name = name
            self.points = points
            self.stroke = stroke
            self.colorOf = colorOf
        }
    }

    /// A vertical line that marks a choice.
    public struct Mark: Sendable {
        public var x: Double
        public var label: String

        public init(x: Double, label: String) {
            self.x = x
            self.label = label
        }
    }

    public enum Scale: Sendable {
        case linear
        /// Equal ratios are equally far apart.
        case logarithmic
    }

    public var title: String
    public var xLabel: String
    public var yLabel: String
    public var xScale: Scale
    public var yScale: Scale
    /// Lines are cut above it, and the axis says so, lest one that goes far beyond flatten the others; nil for no limit.
    public var yLimit: Double?
    public var series: [Series]
    public var mark: Mark?

    public init(
        title: String, xLabel: String, yLabel: String, xScale: Scale = .linear, yScale: Scale = .linear,
        yLimit: Double? = nil, series: [Series], mark: Mark? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.xScale = xScale
        self.yScale = yScale
        self.yLimit = yLimit
        self.series = series
        self.mark = mark
    }

    /// The chart as a PNG file.
    public func png(width: Int = 860, height: Int = 420) -> Data {
        let canvas = Canvas(width: width, height: height)
        PlotDrawing(self, canvas).draw()
        return canvas.png()
    }
}

extension Plot.Scale {
    /// Where a value stands along an axis; not finite for one that has no place there.
    fileprivate func place(_ value: Double) -> Double { self == .linear ? value : log10(value) }

    /// Round values whose places are in `range`, about `count` of them.
    fileprivate func ticks(covering range: ClosedRange<Double>, count: Int) -> [Double] {
        self == .linear
            ? Reports.ticks(covering: range, count: count) : logarithmicTicks(covering: range, count: count)
    }

    /// An axis's label, which says where the axis is not the usual one.
    fileprivate func named(_ label: String, cutAt limit: Double? = nil) -> String {
        let notes = (self == .linear ? [] : ["logarithmic"]) + (limit.map { ["cut at \(self.label($0))"] } ?? [])
        return label.isEmpty || notes.isEmpty ? label : "\(label) (\(notes.joined(separator: ", ")))"
    }

    fileprivate func label(_ tick: Double) -> String { self == .linear ? plain(tick) : powerOfTen(tick) }
}

/// A chart being drawn.
private struct PlotDrawing {
    let plot: Plot
    let canvas: Canvas
    /// On a logarithmic axis of logarithms, as all places.
    let xs, ys: ClosedRange<Double>
    /// Where lines are cut; nil where none reaches it.
    let cut: Double?
    let left = 74.0
    let top = 52.0
    let legend: Double
    let colors: [Color]

    init(_ plot: Plot, _ canvas: Canvas) {
        self.plot = plot
        self.canvas = canvas
        let points = plot.series.flatMap(\.points)
            .map { (x: plot.xScale.place($0.x), y: plot.yScale.place($0.y)) }
            .filter { $0.x.isFinite && $0.y.isFinite }
        let mark = plot.mark.map { plot.xScale.place($0.x) }.flatMap { $0.isFinite ? [$0] : nil } ?? []
        xs = Self.range(of: points.map(\.x) + mark, margin: 0)
        let limit = plot.yLimit.map { plot.yScale.place($0) } ?? .infinity
        let isCut = points.contains { $0.y > limit } && points.contains { $0.y < limit }
        let whole = Self.range(of: points.map { isCut ? min($0.y, limit) : $0.y }, margin: 0.06)
        ys = isCut ? whole.lowerBound...limit : whole
        cut = isCut ? plot.yLimit : nil
        let widest = plot.series.map { canvas.textWidth($0.name, size: 12) }.max() ?? 0
        legend =
            plot.series.count(where: { !$0.name.isEmpty }) > 1 ? min(widest + 56, Double(canvas.width) / 3) : 24
        colors = Self.colors(of: plot.series)
    }

    private static func colors(of series: [Plot.Series]) -> [Color] {
        var own: [String: Color] = [:]
        return series.map { series in
            if let other = series.colorOf, let color = own[other] { return color }
            let color = Color.series[own.count % Color.series.count]
            own[series.name] = color
            return color
        }
    }

    /// The range of values, widened by a share of it; never empty.
    private static func range(of values: [Double], margin: Double) -> ClosedRange<Double> {
        guard let low = values.min(), let high = values.max() else { return 0...1 }
        if low == high { return low - 0.5...high + 0.5 }
        return low - (high - low) * margin...high + (high - low) * margin
    }

    /// Whether all that stands along x are whole numbers, such as steps or layers.
    private var isCounted: Bool {
        plot.xScale == .linear && plot.series.allSatisfy { $0.points.allSatisfy { $0.x == $0.x.rounded() } }
    }

    private var right: Double { Double(canvas.width) - legend }
    private var bottom: Double { Double(canvas.height) - 54 }
    private func x(_ value: Double) -> Double {
        left + (plot.xScale.place(value) - xs.lowerBound) / (xs.upperBound - xs.lowerBound) * (right - left)
    }
    private func y(_ value: Double) -> Double {
        bottom - (plot.yScale.place(value) - ys.lowerBound) / (ys.upperBound - ys.lowerBound) * (bottom - top)
    }

    func draw() {
        let title = canvas.fitting(plot.title, width: right - 20, size: 15, bold: true)
        canvas.text(title, 20, 28, size: 15, bold: true)
        drawAxes()
        drawMark()
        // Lines without gaps first: through the gaps of the others they are seen where they coincide.
        let lines = Array(zip(plot.series, colors))
        let ordered = lines.filter { $0.0.stroke == .solid } + lines.filter { $0.0.stroke != .solid }
        // Room for the dots at the ends.
        canvas.clipped(left - 4, top - 4, right - left + 8, bottom - top + 8) {
            for (series, color) in ordered { draw(series, color) }
        }
        if plot.series.allSatisfy(\.points.isEmpty) {
            canvas.text("no data", (left + right) / 2, (top + bottom) / 2, size: 14, .quiet, align: .center)
        }
        if legend > 24 { drawLegend() }
    }

    private func draw(_ series: Plot.Series, _ color: Color) {
        // Cairo's coordinates overflow far outside.
        let points = series.points.map { (x: x($0.x), y: y($0.y).isFinite ? max(y($0.y), -20_000) : .nan) }
        canvas.line(points, color, width: series.stroke == .solid ? 2.5 : 2, stroke: series.stroke)
        let isSeen = points.map { $0.x.isFinite && $0.y.isFinite }
        let areFew = series.stroke == .solid && isSeen.count(where: { $0 }) <= 30
        for index in points.indices where isSeen[index] {
            // A point without neighbours has no line.
            let isAlone = !(index > 0 && isSeen[index - 1]) && !(index + 1 < isSeen.count && isSeen[index + 1])
            if areFew || isAlone { canvas.dot(points[index].x, points[index].y, radius: 3, color) }
        }
    }

    private func drawAxes() {
        for tick in plot.yScale.ticks(covering: ys, count: 6) {
            canvas.line([(left, y(tick)), (right, y(tick))], .line)
            canvas.text(plot.yScale.label(tick), left - 8, y(tick) + 4, size: 12, .quiet, align: .right)
        }
        // What is counted has no halves.
        for tick in plot.xScale.ticks(covering: xs, count: 8) where !isCounted || tick == tick.rounded() {
            canvas.line([(x(tick), bottom), (x(tick), bottom + 5)], .quiet)
            canvas.text(plot.xScale.label(tick), x(tick), bottom + 20, size: 12, .quiet, align: .center)
        }
        canvas.line([(left, bottom), (right, bottom)], .quiet)
        canvas.text(plot.xScale.named(plot.xLabel), (left + right) / 2, bottom + 42, size: 13, align: .center)
        let yLabel = canvas.fitting(plot.yScale.named(plot.yLabel, cutAt: cut), width: bottom - top + 40, size: 13)
        canvas.text(yLabel, 22, (top + bottom) / 2, size: 13, align: .center, turned: true)
    }

    private func drawMark() {
        guard let mark = plot.mark, x(mark.x).isFinite else { return }
        let place = x(mark.x)
        canvas.line([(place, top), (place, bottom)], .ink, width: 1.5, stroke: .dashed)
        let isRight = place > (left + right) / 2
        canvas.text(mark.label, place + (isRight ? -6 : 6), top + 10, size: 12, align: isRight ? .right : .left)
    }

    private func drawLegend() {
        let named = zip(plot.series, colors).filter { !$0.0.name.isEmpty }
        for (index, (series, color)) in named.enumerated() {
            let y = top + 12 + Double(index) * 20
            guard y < bottom else { return }
            canvas.line([(right + 14, y - 4), (right + 40, y - 4)], color, width: 2.5, stroke: series.stroke)
            canvas.text(canvas.fitting(series.name, width: legend - 52, size: 12), right + 46, y, size: 12)
        }
    }
}
