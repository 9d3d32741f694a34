export interface Profile {
  tasks: Record<string, unknown>
}
